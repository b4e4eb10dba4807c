import { describe, expect, it } from "vitest";
import type { Diagnostic, Label } from "../../src/lang/diagnostic.ts";
import { renderDiagnostic, renderDiagnostics } from "../../src/lang/render.ts";
import type { SourceFile } from "../../src/lang/source.ts";

function file(text: string, name = "model.fec"): SourceFile {
  return { name, text };
}

/** A label on the `nth` place where `part` stands in the file. */
function label(source: SourceFile, part: string, text: string, nth = 1): Label {
  let start = -1;
  for (let i = 0; i < nth; i++) start = source.text.indexOf(part, start + 1);
  return { span: { file: source, start, end: start + part.length }, text };
}

function diagnostic(primary: Label, secondary: Label[] = [], rest: Partial<Diagnostic> = {}): Diagnostic {
  return {
    code: "E0107",
    severity: "error",
    message: "the message",
    primary,
    secondary,
    notes: [],
    help: null,
    ...rest,
  };
}

describe("labels", () => {
  it("on one line: the last beside its mark, the others below theirs", () => {
    const source = file(`${"\n".repeat(13)}  for i -> sum[k] w[i, k] * x[k]\n`);
    const primary = label(source, "k", "c here, from w: f32[o, c]", 2);
    const other = label(source, "k", "d here, from x: f32[d]", 3);
    const notes = ["k ranges over c and over d, and nothing makes them equal"];
    expect(renderDiagnostic(diagnostic(primary, [other], { message: "shapes do not agree", notes })))
      .toMatchInlineSnapshot(`
      "error[E0107]: shapes do not agree
        ┌─ model.fec:14:24
      14 │   for i -> sum[k] w[i, k] * x[k]
         │                        ─      ─ d here, from x: f32[d]
         │                        │
         │                        c here, from w: f32[o, c]
         = k ranges over c and over d, and nothing makes them equal"
    `);
  });

  it("three on one line, one in another", () => {
    const source = file("let alpha = beta + gamma\n\n\nlet beta = 1");
    const labels = ["alpha", "beta", "gamma"].map((part) => label(source, part, `this is ${part}`));
    const origin = label(source, "beta", "from here", 2);
    expect(renderDiagnostic(diagnostic(labels[1]!, [origin, labels[0]!, labels[2]!]))).toMatchInlineSnapshot(`
      "error[E0107]: the message
       ┌─ model.fec:1:13
      1 │ let alpha = beta + gamma
        │     ─────   ────   ───── this is gamma
        │     │       │
        │     │       this is beta
        │     this is alpha
        ···
      4 │ let beta = 1
        │     ──── from here"
    `);
  });

  it("within each other, without text, and at the end of the file", () => {
    const source = file("f(x + y)");
    const end = { span: { file: source, start: 8, end: 8 }, text: "here" };
    const labels = [label(source, "x + y", "the sum"), label(source, "x", ""), label(source, "y", "a part")];
    expect(renderDiagnostic(diagnostic(labels[0]!, labels.slice(1)))).toMatchInlineSnapshot(`
      "error[E0107]: the message
       ┌─ model.fec:1:3
      1 │ f(x + y)
        │   ───── a part
        │   │
        │   the sum"
    `);
    expect(renderDiagnostic(diagnostic(end))).toMatchInlineSnapshot(`
      "error[E0107]: the message
       ┌─ model.fec:1:9
      1 │ f(x + y)
        │         ─ here"
    `);
  });

  it("over several lines: to the end of the first", () => {
    const source = file("a = f(x,\n  y)\n");
    expect(renderDiagnostic(diagnostic(label(source, "f(x,\n  y)", "all of this")))).toMatchInlineSnapshot(`
      "error[E0107]: the message
       ┌─ model.fec:1:5
      1 │ a = f(x,
        │     ──── all of this"
    `);
  });

  it("in two files", () => {
    const [a, b] = [file("use ./b.{g}\nfn f() = g(1)"), file("fn g() = 2", "b.fec")];
    const help = "take away the argument,\nor give g a parameter";
    expect(
      renderDiagnostic(
        diagnostic(label(a, "g(1)", "one argument"), [label(b, "g()", "none wanted")], { help }),
      ),
    ).toMatchInlineSnapshot(`
      "error[E0107]: the message
       ┌─ model.fec:2:10
      2 │ fn f() = g(1)
        │          ──── one argument
       ┌─ b.fec:1:4
      1 │ fn g() = 2
        │    ─── none wanted
        = help: take away the argument,
          or give g a parameter"
    `);
  });
});

describe("alignment", () => {
  it("tabs, wide characters, NUL, halves of characters, direction marks", () => {
    const source = file("\tα 漢字 e\u0301 😀 \0 \ud800 \u202e here");
    expect(renderDiagnostic(diagnostic(label(source, "here", "it"), [label(source, "漢字", "wide")])))
      .toMatchInlineSnapshot(`
      "error[E0107]: the message
       ┌─ model.fec:1:19
      1 │   α 漢字 é 😀 ␀ � � here
        │     ────            ──── it
        │     │
        │     wide"
    `);
  });

  it("long lines are cut round their labels", () => {
    const source = file(`${"x + ".repeat(100)}middle${" + y".repeat(100)} + last`);
    const labels = [label(source, "middle", "the middle"), label(source, "last", "the end")];
    expect(renderDiagnostic(diagnostic(labels[0]!, [labels[1]!]), { width: 40 })).toMatchInlineSnapshot(`
      "error[E0107]: the message
       ┌─ model.fec:1:401
      1 │ …+ x + x + middle + y + y + y + y + y + y…
        │            ────── the middle
      1 │ …y + y + y + y + y + y + y + y + y + last
        │                                      ──── the end"
    `);
  });
});

describe("options", () => {
  const source = file("a b");
  const one = diagnostic(label(source, "a", "it"), [], { severity: "warning", help: "take b" });

  it("colour only when asked for", () => {
    expect(renderDiagnostic(one)).not.toContain("\u001b");
    expect(renderDiagnostic(one, { color: true }).replaceAll("\u001b", "␛")).toMatchInlineSnapshot(`
      "␛[1m␛[33mwarning[E0107]␛[39m␛[22m␛[1m: the message␛[22m
       ␛[34m┌─␛[39m model.fec:1:1
      ␛[34m1 │␛[39m a b
        ␛[34m│␛[39m ␛[33m─␛[39m ␛[33mit␛[39m
        ␛[34m=␛[39m help: take b"
    `);
  });

  it("several, with an empty line between them", () => {
    expect(renderDiagnostics([one, one])).toBe(`${renderDiagnostic(one)}\n\n${renderDiagnostic(one)}`);
  });

  it("no spaces at the ends of lines", () => {
    expect(renderDiagnostic(diagnostic(label(file("a   \n\nb"), "a", "")))).not.toMatch(/ $/m);
  });
});
