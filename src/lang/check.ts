/**
 * Checks a program: loads what it uses, understands its declarations, and checks every function once for all dimensions.
 *
 *     const program = check({ name: "cluster.fec", text }, { load: () => null });
 *     program.diagnostics   // all mistakes, in the order of the text
 */
import { checkFunction, type CheckState } from "./check-function.ts";
import { inCallOrder } from "./call-order.ts";
import { isBroken } from "./check-name.ts";
import { declareConst } from "./constants.ts";
import { declareFields, declareFunction, declareStruct, reportSelfContaining } from "./declarations.ts";
import type { Diagnostic } from "./diagnostic.ts";
import type { Report } from "./dim-expression.ts";
import { diagnostic } from "./inference.ts";
import { parse } from "./parser.ts";
import type { ModuleInfo, Program, StructInfo, TopLevel } from "./program.ts";
import type { SourceFile, Span } from "./source.ts";
import { closest } from "./suggest.ts";
import type { Decl, Module, UseDecl } from "./syntax.ts";
import { preludeName } from "./standard-names.ts";
import { builtinTypes } from "./written-types.ts";
import { stdSources } from "../std/sources.ts";

/** Where the files beside a program come from. */
export interface Loader {
  /** The file for `use ./path` in the file named `from`, or null when there is none. */
  readonly load: (path: string, from: string) => SourceFile | null;
}

/** A loader for a program that is one text: there is nothing beside it. */
export const noFiles: Loader = { load: () => null };

interface State extends CheckState {
  readonly loader: Loader;
  readonly modules: Map<string, ModuleInfo>;
  /** The files being loaded, outermost first. */
  readonly loading: string[];
}

/** Checks a file and all that it uses. Never throws for a mistake in the program. */
export function check(file: SourceFile, loader: Loader): Program {
  const state: State = { loader, diagnostics: [], underWay: [], begun: new Set(), modules: new Map(), loading: [] };
  const main = loadModule(state, file);
  return { main, modules: [...state.modules.values()], diagnostics: inOrder(state.diagnostics, file) };
}

/** The main file's diagnostics, then those of other files as they were loaded; each file's by place. */
function inOrder(diagnostics: readonly Diagnostic[], main: SourceFile): Diagnostic[] {
  const files = [...new Set([main, ...diagnostics.map((d) => d.primary.span.file)])];
  return files.flatMap((file) =>
    diagnostics
      .filter((d) => d.primary.span.file === file)
      .sort((a, b) => a.primary.span.start - b.primary.span.start || a.primary.span.end - b.primary.span.end),
  );
}

function loadModule(state: State, file: SourceFile): ModuleInfo {
  const known = state.modules.get(file.name);
  if (known !== undefined) return known;
  const { module: syntax, diagnostics } = parse(file);
  state.diagnostics.push(...diagnostics);
  const module: ModuleInfo = { file, syntax, hasSyntaxErrors: diagnostics.length > 0, names: new Map(), exports: new Map() };
  state.modules.set(file.name, module);
  state.loading.push(file.name);
  const report: Report = (code, span, text, details) => state.diagnostics.push(diagnostic(code, span, text, details));
  bringInPrelude(state, module);
  for (const decl of syntax.decls) if (decl.kind === "use") bringIn(state, report, module, decl);
  declareAll(report, module, syntax);
  for (const info of inCallOrder(module)) checkFunction(state, info);
  state.loading.pop();
  return module;
}

function bringInPrelude(state: State, module: ModuleInfo): void {
  const text = stdSources["prelude"];
  if (text === undefined || module.file.name === preludeName) return;
  const prelude = state.modules.get(preludeName) ?? loadModule(state, { name: preludeName, text });
  for (const [name, top] of prelude.exports) module.names.set(name, top);
}

function bringIn(state: State, report: Report, module: ModuleInfo, decl: UseDecl): void {
  const file = fileOf(state, module, decl);
  if (file === null) {
    const near = closest(decl.path.text, Object.keys(stdSources));
    const beside = decl.path.text.startsWith(".");
    report("E0304", decl.path.span, beside ? "no such file beside this one" : "not in the standard library", {
      help: near !== null ? `did you mean \`${near}\`?` : beside ? "the path is relative to this file, without `.fec`" : "a file beside this one is used with `./`: `use ./blocks.{Block}`",
    });
    return;
  }
  const circle = state.loading.indexOf(file.name);
  if (circle >= 0) {
    report("E0306", decl.path.span, [...state.loading.slice(circle), file.name].join(" → "), { help: "move what both need into a third file" });
    return;
  }
  const used = loadModule(state, file);
  for (const name of decl.names) {
    const top = used.exports.get(name.text);
    if (top === undefined) {
      if (isBroken(used, name.text)) continue;
      const near = closest(name.text, used.exports.keys());
      const target = near === null ? undefined : used.exports.get(near);
      report("E0305", name.span, `not in ${used.file.name}`, {
        secondary: target === undefined ? [] : [{ span: target.span, text: `\`${near}\` is declared here` }],
        help: near === null ? `it declares ${[...used.exports.keys()].slice(0, 8).map((n) => `\`${n}\``).join(", ")}` : `did you mean \`${near}\`?`,
      });
      continue;
    }
    declareName(report, module, name.text, name.span, top);
  }
}

function fileOf(state: State, module: ModuleInfo, decl: UseDecl): SourceFile | null {
  const path = decl.path.text;
  if (path.startsWith(".")) return state.loader.load(path, module.file.name);
  const text = Object.hasOwn(stdSources, path) ? stdSources[path] : undefined;
  return text === undefined ? null : { name: `std/${path}.fec`, text };
}

/** Names of the prelude may be declared anew; others only once. */
function declareName(report: Report, module: ModuleInfo, name: string, span: Span, top: TopLevel): void {
  const before = module.names.get(name);
  const fromPrelude = before !== undefined && (before.span.file.name === preludeName) && span.file.name !== preludeName;
  if (before !== undefined && !fromPrelude && before !== top) {
    report("E0303", span, "again here", { secondary: [{ span: before.span, text: "first here" }], help: "give one of them another name" });
    return;
  }
  module.names.set(name, top);
}

function declareAll(report: Report, module: ModuleInfo, syntax: Module): void {
  const structs: [StructInfo, Extract<Decl, { kind: "struct" }>][] = [];
  const own = (name: string, span: Span, top: TopLevel): void => {
    if (builtinTypes.has(name)) {
      report("E0303", span, `\`${name}\` is a type of the language`, { help: "give it another name" });
      return;
    }
    declareName(report, module, name, span, top);
    if (module.names.get(name) === top) module.exports.set(name, top);
  };
  for (const decl of syntax.decls) {
    if (decl.kind === "const") {
      const info = declareConst(report, module, decl);
      if (info !== null) own(info.name, info.span, info);
    } else if (decl.kind === "struct") {
      const info = declareStruct(report, module, decl);
      structs.push([info, decl]);
      own(info.name, info.span, info);
    }
  }
  for (const [info, decl] of structs) declareFields(report, info, decl);
  reportSelfContaining(report, structs.map(([info]) => info));
  for (const decl of syntax.decls) {
    if (decl.kind !== "function") continue;
    const info = declareFunction(report, module, decl);
    own(info.name, info.span, info);
  }
}
