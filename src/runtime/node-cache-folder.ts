/**
 * Where fecit keeps what it need not make again: the user's cache, else a folder of the user's own for temporary files.
 *
 *     cacheFolders()      // ["/home/ada/.cache/fecit", "/tmp/fecit-1000"]
 */
import { lstat, mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The variables of a process, as `process.env` has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The folders to try, the best first. A user without a name has no home either. */
export function cacheFolders(environment: Environment = process.env): readonly string[] {
  const { XDG_CACHE_HOME: cache = "", HOME: home = "" } = environment;
  const own = cache !== "" ? [join(cache, "fecit")] : home !== "" ? [join(home, ".cache", "fecit")] : [];
  return [...own, join(tmpdir(), `fecit-${process.getuid?.() ?? "cache"}`)];
}

/**
 * Makes a folder, and says whether it is this user's: what lies in another's may not be what was put there.
 */
export async function isOwnFolder(folder: string): Promise<boolean> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const status = await lstat(folder);
    return status.isDirectory() && status.uid === (process.getuid?.() ?? status.uid);
  } catch {
    // It can't be made here; there are other places.
    return false;
  }
}
