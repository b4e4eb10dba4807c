/** A process that writes checkpoints is killed fifty times; whatever is on the disk after that loads. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { build } from "tsdown";
import { expect, test } from "vitest";
import { readCheckpoint } from "../../src/train/checkpoint.ts";
import { randomBelow } from "../../src/train/data/random.ts";
import { inFolder } from "../folder.ts";

test("no kill -9 leaves a checkpoint that does not load", async () => {
  await inFolder(async (folder) => {
    const writer = join(folder, "writer.mjs");
    // Bundled once: a process then starts in a fraction of the time.
    await build({
      entry: { writer: fileURLToPath(new URL("checkpoint-writer.ts", import.meta.url)) },
      outDir: folder,
      platform: "node",
      config: false,
      clean: false,
      logLevel: "silent",
    });
    let lastStep = 0;
    for (let kill = 0; kill < 50; kill++) {
      const child = spawn(process.execPath, [writer, folder, String(lastStep)], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      const ended = once(child, "exit");
      await once(child.stdout, "data");
      await wait(randomBelow(30, 1, "order", 0, kill));
      child.kill("SIGKILL");
      expect((await ended)[1]).toBe("SIGKILL");
      for (const name of ["latest", "best"]) {
        const file = join(folder, `${name}.safetensors`);
        if (!existsSync(file)) continue;
        const { parameters, state } = await readCheckpoint(file);
        const numbers = parameters.get("weight")!.data;
        expect(numbers.every((value) => value === state!.step)).toBe(true);
        if (name === "latest") lastStep = state!.step;
      }
    }
    expect(lastStep).toBeGreaterThan(20);
  });
}, 120_000);
