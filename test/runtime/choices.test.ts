/** What tuning found is kept on disk, by adapter and kernel; what is broken there is told of and ignored. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openChoices } from "../../src/runtime/node-choices.ts";
import { inFolder } from "../folder.ts";

const adapter = { vendor: "mesa", device: "llvmpipe (LLVM 15)", driver: "Mesa 25.0.7" };
const found = { kernel: "sum", choice: { regionInvocations: 16 }, defaultMs: 2, chosenMs: 1 };

describe("choices on disk", () => {
  test("are found again, by the kernel's text", async () => {
    await inFolder(async (folder) => {
      const environment = { XDG_CACHE_HOME: folder };
      const warnings: string[] = [];
      const open = (): ReturnType<typeof openChoices> =>
        openChoices(adapter, { environment, warn: (message) => warnings.push(message) });
      const choices = open();
      expect(choices.find("kernel a")).toBeNull();
      await choices.keep("kernel a", found);
      await choices.keep("kernel b", { ...found, choice: {} });
      expect(choices.find("kernel a")).toEqual({ regionInvocations: 16 });
      expect(open().find("kernel a")).toEqual({ regionInvocations: 16 });
      // Measured, and nothing was faster.
      expect(open().find("kernel b")).toEqual({});
      // Another version of the compiler writes another text.
      expect(open().find("kernel a, otherwise")).toBeNull();
      expect(warnings).toEqual([]);
      expect(readdirSync(join(folder, "fecit"))).toEqual([
        expect.stringMatching(/^choices-llvmpipe-llvm-15-[0-9a-f]{12}\.json$/) as string,
      ]);
    });
  });

  test("are those of the adapter and its driver", async () => {
    await inFolder(async (folder) => {
      const environment = { XDG_CACHE_HOME: folder };
      await openChoices(adapter, { environment }).keep("kernel a", found);
      for (const other of [
        { ...adapter, driver: "Mesa 26" },
        { ...adapter, device: "another" },
      ])
        expect(openChoices(other, { environment }).find("kernel a")).toBeNull();
    });
  });

  test("have what another process has kept meanwhile", async () => {
    await inFolder(async (folder) => {
      const environment = { XDG_CACHE_HOME: folder };
      const [one, other] = [openChoices(adapter, { environment }), openChoices(adapter, { environment })];
      await one.keep("kernel a", found);
      await other.keep("kernel b", { ...found, choice: { rows: 8 } });
      const after = openChoices(adapter, { environment });
      expect(after.find("kernel a")).toEqual({ regionInvocations: 16 });
      expect(after.find("kernel b")).toEqual({ rows: 8 });
    });
  });

  test.each<[string, (text: string) => string]>([
    ["is cut short", (text) => text.slice(0, 60)],
    ["is of another version", (text) => text.replace('"format": 1', '"format": 0')],
    ["is of another driver", (text) => text.replace("Mesa 25.0.7", "Mesa 26")],
    ["is a list", () => "[]"],
    ["is null", () => "null"],
  ])("a file that %s is told of, ignored, and written anew", async (_, broken) => {
    await inFolder(async (folder) => {
      const environment = { XDG_CACHE_HOME: folder };
      await openChoices(adapter, { environment }).keep("kernel a", found);
      const file = fileIn(folder);
      writeFileSync(file, broken(readFileSync(file, "utf8")));
      const warnings: string[] = [];
      const choices = openChoices(adapter, { environment, warn: (message) => warnings.push(message) });
      expect(choices.find("kernel a")).toBeNull();
      expect(warnings).toEqual([expect.stringContaining(file) as string]);
      await choices.keep("kernel a", found);
      expect(openChoices(adapter, { environment }).find("kernel a")).toEqual({ regionInvocations: 16 });
    });
  });

  test("a choice that no kernel can have is ignored, the others are not", async () => {
    await inFolder(async (folder) => {
      const environment = { XDG_CACHE_HOME: folder };
      const choices = openChoices(adapter, { environment });
      await choices.keep("kernel a", found);
      await choices.keep("kernel b", { ...found, choice: { rows: 8 } });
      const file = fileIn(folder);
      writeFileSync(
        file,
        readFileSync(file, "utf8").replace('"regionInvocations": 16', '"regionInvocations": 1e9'),
      );
      const after = openChoices(adapter, { environment });
      expect(after.find("kernel a")).toBeNull();
      expect(after.find("kernel b")).toEqual({ rows: 8 });
    });
  });
});

function fileIn(folder: string): string {
  const cache = join(folder, "fecit");
  return join(cache, readdirSync(cache)[0]!);
}
