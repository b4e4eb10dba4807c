/**
 * Opens an adapter in a process of its own and computes with it: one process can't load two drivers.
 *
 *     node --import tsx test/runtime/open.mjs swiftshader   →   {"name":"SwiftShader","kind":"software","sum":[5,7,9]}
 */
import { openNodeDevice } from "../../src/runtime/node.ts";
import { vectorAdd } from "./programs.ts";

try {
  const heard = [];
  const device = await openNodeDevice({
    adapter: process.argv[2],
    onAdapter: ({ name }) => heard.push(name),
  });
  const { name, kind } = device.adapter;
  const add = await device.load(vectorAdd(3));
  const [z] = await add.run([
    [1, 2, 3],
    [4, 5, 6],
  ]);
  const sum = kind === "null" ? [] : [...(await z.read())];
  device.close();
  console.log(JSON.stringify({ name, heard, kind, sum }));
} catch (error) {
  console.log(JSON.stringify({ error: error.name, message: error.message, tried: error.tried }));
}
