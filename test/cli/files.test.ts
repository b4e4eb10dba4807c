/** Files that the commands write: whole, and never instead of what is no file. */
import { execFileSync } from "node:child_process";
import {
  closeSync,
  constants,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  symlinkSync,
} from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { writeWhole } from "../../src/cli/files.ts";
import { inFolder } from "../folder.ts";

const inDirectory = (directory: string): Parameters<typeof writeWhole>[0] => ({
  out: () => {},
  err: () => {},
  environment: {},
  directory,
  outColors: false,
  errColors: false,
});

/** Writes to a name while a pipe `pipe` is read; gives what came through. */
async function throughPipe(name: string): Promise<{ readonly text: string; readonly isPipe: boolean }> {
  return inFolder((folder) => {
    const pipe = join(folder, "pipe");
    execFileSync("mkfifo", [pipe]);
    symlinkSync("pipe", join(folder, "link"));
    const reader = openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK);
    try {
      writeWhole(inDirectory(folder), name, "some text");
      const bytes = Buffer.alloc(100);
      const text = bytes.toString("utf8", 0, readSync(reader, bytes));
      expect(readdirSync(folder).sort()).toEqual(["link", "pipe"]);
      expect(lstatSync(join(folder, "link")).isSymbolicLink()).toBe(true);
      return { text, isPipe: lstatSync(pipe).isFIFO() };
    } finally {
      closeSync(reader);
    }
  });
}

describe.skipIf(process.platform === "win32")("writeWhole", () => {
  it.each(["pipe", "link"])("writes through a pipe, by the name %s", async (name) => {
    expect(await throughPipe(name)).toEqual({ text: "some text", isPipe: true });
  });

  it("says that what is no file can't be written, and leaves it", async () => {
    await inFolder(async (folder) => {
      const server = createServer().listen(join(folder, "socket"));
      await new Promise((listening) => server.once("listening", listening));
      try {
        expect(() => writeWhole(inDirectory(folder), "socket", "x")).toThrow(
          "socket can't be written: ENXIO",
        );
        expect(lstatSync(join(folder, "socket")).isSocket()).toBe(true);
        expect(readdirSync(folder)).toEqual(["socket"]);
      } finally {
        server.close();
      }
    });
  });

  it("follows links, also to what is not there yet", async () => {
    await inFolder((folder) => {
      symlinkSync("b", join(folder, "a"));
      symlinkSync("c", join(folder, "b"));
      for (const text of ["one", "two"]) {
        writeWhole(inDirectory(folder), "a", text);
        expect(lstatSync(join(folder, "a")).isSymbolicLink()).toBe(true);
        expect(lstatSync(join(folder, "b")).isSymbolicLink()).toBe(true);
        expect(readFileSync(join(folder, "c"), "utf8")).toBe(text);
      }
    });
  });

  it("says that links form a circle", async () => {
    await inFolder((folder) => {
      symlinkSync("a", join(folder, "a"));
      expect(() => writeWhole(inDirectory(folder), "a", "x")).toThrow("its symbolic links form a circle");
    });
  });
});
