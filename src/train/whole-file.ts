/**
 * Files that are there whole or not at all, whenever the process is killed or the machine loses power.
 *
 *     .latest.safetensors.4711.part ──fsync, rename, fsync of the folder──▶ latest.safetensors
 */
import { open, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/** Writes a file aside, in the same folder, and then renames it. Throws the system's error, and leaves nothing behind. */
export async function writeWholeFile(file: string, content: string | Uint8Array): Promise<void> {
  const folder = dirname(file);
  const aside = join(folder, `.${basename(file)}.${process.pid}.part`);
  try {
    const handle = await open(aside, "w");
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(aside, file);
  } catch (error) {
    await rm(aside, { force: true });
    throw error;
  }
  await syncFolder(folder);
}

/** Removes what writers that were killed left in a folder. */
export async function removeLeftovers(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (/^\..+\.\d+\.part$/.test(name)) await rm(join(folder, name), { force: true });
  }
}

/** The new name itself has to reach the disk. Windows knows no such thing. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === "win32") return;
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
