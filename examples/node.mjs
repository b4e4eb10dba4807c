// Training on this machine's GPU in a few lines: a linear function is found from examples of it.
//
//     node examples/node.mjs
import { load, read, tensor } from "fecit";
import { openDevice } from "fecit/node";

const module = load(`
struct Line { slope: f32, height: f32 }

fn loss(p: Line, x: f32[n], y: f32[n]) -> f32 = mean[i] (p.slope * x[i] + p.height - y[i]) ^ 2.0

## One step downhill, and the loss before it.
fn step(p: Line, x: f32[n], y: f32[n], rate: f32) -> (Line, f32) {
  let (before, g) = value_and_grad(fn (q) -> loss(q, x, y))(p)
  (tree_map(fn (a, b) -> a - rate * b, p, g), before)
}
`);

const device = await openDevice({ onAdapter: ({ name }) => console.error(`on ${name}`) });

// The new parameters overwrite the old ones: p stays where it is.
const step = await device.compile(module.compile("step", { dims: { n: 4 } }), { inPlace: { p: 0 } });
const p = await step.put("p", { slope: 0, height: 0 });
const x = await step.put("x", tensor([4], [-1, 0, 1, 2]));
const y = await step.put("y", tensor([4], [-3, -1, 1, 3]));

for (let number = 0; number <= 100; number++) {
  await device.scope(async () => {
    const [, loss] = await step.run(p, x, y, 0.1);
    if (number % 25 === 0) console.log(`step ${number}: loss ${(await read(loss)).toFixed(6)}`);
  });
}
const { slope, height } = await read(p);
console.log(`y = ${slope.toFixed(3)} x + ${height.toFixed(3)}`);
device.close();
