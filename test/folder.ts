/** Folders for tests that write files. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A folder that is there for the duration of an action. */
export async function inFolder<T>(action: (folder: string) => T): Promise<Awaited<T>> {
  const folder = mkdtempSync(join(tmpdir(), "fecit-"));
  try {
    return await action(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
