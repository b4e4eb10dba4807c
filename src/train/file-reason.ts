/** Why a file or folder can't be read or written, in words: `EROFS` ──▶ "the file system can't be written to". */
export function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  const reasons: Readonly<Record<string, string>> = {
    ENOENT: "there is no such file or folder",
    EISDIR: "it is a folder",
    ENOTDIR: "a part of the path is a file, not a folder",
    EACCES: "permission denied",
    EPERM: "permission denied",
    ENOSPC: "the disk is full",
    EROFS: "the file system can't be written to",
    ENAMETOOLONG: "the name is too long",
    ELOOP: "its symbolic links form a circle",
  };
  return reasons[code ?? ""] ?? message;
}
