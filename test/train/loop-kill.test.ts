/** A process that trains is killed at random moments; whatever is on the disk after that loads, and training goes on from it. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { build } from "tsdown";
import { expect, test } from "vitest";
import { readCheckpoint } from "../../src/train/checkpoint.ts";
import { randomBelow } from "../../src/train/data/random.ts";
import { firstNotFinite } from "../../src/train/model-weights.ts";
import { readMetrics } from "../../src/train/metrics.ts";
import { runFiles } from "../../src/train/run-folder.ts";
import { inFolder } from "../folder.ts";

const kills = Number(process.env["KILLS"] ?? 3);

test("no kill -9 leaves a run that can't be gone on with", async () => {
  // Packages are found from a folder inside of this one.
  const bundle = mkdtempSync(fileURLToPath(new URL("../../node_modules/.fecit-kill-", import.meta.url)));
  try {
    const entry = { runner: fileURLToPath(new URL("loop-runner.ts", import.meta.url)) };
    // Bundled once: a process then starts in a fraction of the time.
    await build({ entry, outDir: bundle, platform: "node", config: false, clean: false, logLevel: "silent" });
    await inFolder(async (folder) => {
      const files = runFiles(join(folder, "run"));
      let lastStep = 0;
      for (let kill = 0; kill < kills; kill++) {
        const child = spawn(process.execPath, [join(bundle, "runner.mjs"), files.folder], {
          stdio: ["ignore", "pipe", "inherit"],
        });
        const ended = once(child, "exit");
        await Promise.race([once(child.stdout, "data"), ended]);
        await wait(randomBelow(200, 1, "order", 0, kill));
        child.kill("SIGKILL");
        expect((await ended)[1]).toBe("SIGKILL");
        for (const file of [files.latest, files.best]) {
          if (!existsSync(file)) continue;
          const { parameters, optimizer, state } = await readCheckpoint(file);
          expect([...optimizer.keys()]).toEqual(["m", "v"]);
          expect(firstNotFinite(parameters)).toBe(null);
          if (file === files.latest) expect(state!.step).toBeGreaterThanOrEqual(lastStep);
          if (file === files.latest) lastStep = state!.step;
        }
        // A line of the metrics may be cut at the end only.
        expect(() => readMetrics(files.metrics)).not.toThrow();
      }
      expect(lastStep).toBeGreaterThan(0);
    });
  } finally {
    rmSync(bundle, { recursive: true });
  }
}, 600_000);
