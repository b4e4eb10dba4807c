/**
 * One canonical layout for every program: 100 columns, two spaces, an empty line between declarations, spaces round
 * every binary operator. Laying out twice changes nothing more, and the tree stays what it was.
 */
import type { Diagnostic } from "./diagnostic.ts";
import {
  commentLines,
  linesOf,
  takeComments,
  type LineItem,
  type PendingComments,
} from "./format-comments.ts";
import { blockDoc, bodyDoc, expressionDoc, typeDoc } from "./format-expressions.ts";
import { bracketed, group, hardline, indent, layOut, line, separated, softline, type Doc } from "./layout.ts";
import { parse } from "./parser.ts";
import type { SourceFile } from "./source.ts";
import type { Decl, Field, FunctionDecl, Name, StructDecl } from "./syntax.ts";

const width = 100;

/** The file laid out; its own text, and the errors, if it can't be parsed. */
export function format(file: SourceFile): { text: string; diagnostics: Diagnostic[] } {
  const { module, diagnostics } = parse(file);
  if (diagnostics.some((diagnostic) => diagnostic.severity === "error"))
    return { text: file.text, diagnostics };
  const comments: PendingComments = { file, comments: module.comments, written: new Set() };
  const items = module.decls.map((decl, i): LineItem => ({
    start: decl.span.start,
    end: decl.span.end,
    doc: () => declarationDoc(decl, comments),
    apart: i > 0 && !(isShort(decl) && isShort(module.decls[i - 1]!)),
  }));
  const text = layOut(linesOf(items, 0, file.text.length, comments), width);
  return { text: text === "" ? "" : `${text}\n`, diagnostics };
}

/** Imports and constants may stand together without empty lines. */
function isShort(decl: Decl): boolean {
  return decl.kind === "use" || decl.kind === "const";
}

function declarationDoc(decl: Decl, comments: PendingComments): Doc {
  switch (decl.kind) {
    case "use":
      return ["use ", decl.path.text, ".", bracketed("{", namesOf(decl.names), "}")];
    case "const":
      return ["const ", decl.name.text, " =", bodyDoc(decl.value, comments)];
    case "struct":
      return structDoc(decl, comments);
    case "function":
      return functionDoc(decl, comments);
    default:
      return decl satisfies never;
  }
}

function namesOf(names: readonly Name[]): string[] {
  return names.map((name) => name.text);
}

function parametersDoc(names: readonly Name[]): Doc {
  return names.length === 0 ? "" : bracketed("[", namesOf(names), "]");
}

function structDoc(decl: StructDecl, comments: PendingComments): Doc {
  const items = decl.fields.map((field): LineItem => ({
    start: field.span.start,
    end: field.span.end,
    doc: () => fieldDoc(field, comments),
  }));
  const head: Doc = ["struct ", decl.name.text, parametersDoc(decl.params), " {"];
  const lines = linesOf(items, decl.span.start, decl.span.end, comments);
  const isEmpty = Array.isArray(lines) && lines.length === 0;
  return isEmpty ? [head, "}"] : [head, indent([hardline, lines]), hardline, "}"];
}

function fieldDoc({ checkpointName, name, type, init }: Field, comments: PendingComments): Doc {
  const annotation = checkpointName === null ? "" : `@name("${checkpointName.text}") `;
  const args = init?.args.map((arg) => expressionDoc(arg, comments)) ?? [];
  const distribution: Doc =
    init === null ? "" : [" ~ ", init.name.text, args.length === 0 ? "" : bracketed("(", args, ")")];
  return [annotation, name.text, ": ", typeDoc(type), distribution];
}

function functionDoc(decl: FunctionDecl, comments: PendingComments): Doc {
  const params = decl.params.map(({ name, type }): Doc => [name.text, ": ", typeDoc(type)]);
  const result: Doc = decl.result === null ? "" : [" -> ", typeDoc(decl.result)];
  // The parameters' breaks are the head's own: they are taken before any in the result.
  const list: Doc =
    params.length === 0 ? "()" : ["(", indent([softline, separated(params, [",", line])]), softline, ")"];
  const head = group(["fn ", decl.name.text, parametersDoc(decl.dims), list, result]);
  const body: Doc =
    decl.body.kind === "block" ? [" ", blockDoc(decl.body, comments)] : [" =", bodyDoc(decl.body, comments)];
  if (decl.vjp === null) return [head, body];
  const remarks = commentLines(takeComments(comments, decl.body.span.end, decl.vjp.span.start));
  const names = separated(namesOf(decl.vjp.params), ", ");
  const rule: Doc = ["vjp (", names, ") ->", bodyDoc(decl.vjp.body, comments)];
  return [head, body, indent([hardline, remarks, rule])];
}
