// A function compiled and run in the page, with the kernel that does it.
import { load, openDevice, read, tensor } from "fecit";

const module = load(
  "use softmax.{softmax}\nfn rows(x: f32[m, n]) -> f32[m, n] = for i, k -> softmax(x[i])[k]\n",
);
const result = document.querySelector("#result");
try {
  const device = await openDevice();
  const rows = await device.compile(module.compile("rows", { dims: { m: 2, n: 3 } }));
  const [y] = await rows.run(tensor([2, 3], [1, 2, 3, 0, 0, 0]));
  const { data } = await read(y);
  result.textContent = [data.slice(0, 3), data.slice(3)]
    .map((row) => [...row].map((v) => v.toFixed(4)).join("  "))
    .join("\n");
  document.querySelector("#kernel").textContent = rows.executable.shaders.map(({ code }) => code).join("\n");
} catch (error) {
  result.textContent = error.message;
}
