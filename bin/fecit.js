#!/usr/bin/env node
// The command: built code from `dist`.
import { existsSync } from "node:fs";

const built = new URL("../dist/cli.js", import.meta.url);
if (existsSync(built)) {
  const { main } = await import(built.href);
  process.exitCode = await main(process.argv.slice(2));
} else {
  console.error("fecit is not built yet: run `npm run build` first");
  process.exitCode = 1;
}
