import { defineConfig } from "tsdown";

/** The library, which runs in the browser as well, and the command. */
export default defineConfig([
  {
    entry: { index: "src/index.ts" },
    platform: "neutral",
    target: "es2023",
    dts: true,
    sourcemap: true,
    outExtensions: () => ({ js: ".js", dts: ".d.ts" }),
  },
  {
    entry: { cli: "src/cli/main.ts" },
    platform: "node",
    target: "node20.19",
    // One file: starting the command reads no hundreds of small modules of its dependencies.
    noExternal: [/^chevrotain/, /^@chevrotain/, /^lodash-es/, "commander", "picocolors"],
    inlineOnly: false,
    dts: false,
    sourcemap: true,
    clean: false,
    outExtensions: () => ({ js: ".js" }),
  },
]);
