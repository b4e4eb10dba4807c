/**
 * Reads files out of a tar archive in memory: headers of 512 bytes, each followed by its file's bytes in
 * blocks of 512.
 *
 *     tarFiles(bytes).get("vk_swiftshader_icd.json")
 */

const blockBytes = 512;

/** The regular files of an archive by name (POSIX ustar without long names). */
export function tarFiles(archive: Buffer): ReadonlyMap<string, Buffer> {
  const files = new Map<string, Buffer>();
  const text = (start: number, length: number): string =>
    archive.toString("latin1", start, start + length).split("\0", 1)[0] ?? "";
  let header = 0;
  while (header + blockBytes <= archive.length && archive[header] !== 0) {
    const bytes = Number.parseInt(text(header + 124, 12).trim(), 8);
    const isFile = ["", "0"].includes(text(header + 156, 1));
    const start = header + blockBytes;
    if (isFile) files.set(text(header, 100), archive.subarray(start, start + bytes));
    header = start + Math.ceil(bytes / blockBytes) * blockBytes;
  }
  return files;
}
