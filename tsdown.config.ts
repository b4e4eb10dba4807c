import { defineConfig } from "tsdown";

/** The library, which runs in the browser as well, its entry for Node, and the command. */
export default defineConfig([
  {
    // One build, so that both entries share what must be one: the classes of errors, and what marks a tensor as a device's.
    entry: { index: "src/index.ts", node: "src/node.ts" },
    platform: "neutral",
    target: "es2023",
    external: [/^node:/, "webgpu"],
    dts: true,
    sourcemap: true,
    outExtensions: () => ({ js: ".js", dts: ".d.ts" }),
  },
  {
    entry: { cli: "src/cli/main.ts", "decode-worker": "src/train/data/decode-worker.js" },
    platform: "node",
    target: "node20.19",
    // One file but for what is loaded when it is needed: starting the command reads no hundreds of small modules.
    noExternal: [/^chevrotain/, /^@chevrotain/, /^lodash-es/, "commander", "picocolors"],
    inlineOnly: false,
    dts: false,
    sourcemap: true,
    clean: false,
    outExtensions: () => ({ js: ".js" }),
  },
]);
