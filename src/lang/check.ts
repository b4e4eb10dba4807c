/**
 * Checks a program: loads what it uses, understands its declarations, and checks every function once for all dimensions.
 *
 *     const program = check({ name: "cluster.fec", text }, { load: () => null });
 *     program.diagnostics   // all mistakes, in the order of the text
 */
import { checkFunction, type CheckState } from "./check-function.ts";
import { inCallOrder } from "./call-order.ts";
import { isBroken, useHelp } from "./check-name.ts";
import { declareConst } from "./constants.ts";
import { declareFields, declareFunction, declareStruct, reportSelfContaining } from "./declarations.ts";
import type { Diagnostic } from "./diagnostic.ts";
import type { Report } from "./dim-expression.ts";
import { diagnostic } from "./inference.ts";
import { parse } from "./parser.ts";
import type { ModuleInfo, Program, StructInfo, TopLevel } from "./program.ts";
import type { SourceFile, Span } from "./source.ts";
import { closest } from "./suggest.ts";
import type { Decl, Module, Name, UseDecl } from "./syntax.ts";
import { preludeName } from "./standard-names.ts";
import { builtinTypes } from "./written-types.ts";
import { stdSources } from "../std/sources.ts";

/** Where the files beside a program come from. */
export interface Loader {
  /** The file for `use ./path` in the file named `from`, or null when there is none. */
  readonly load: (path: string, from: string) => SourceFile | null;
  /** Where it looks for that file, for messages. */
  readonly place?: (path: string, from: string) => string;
}

/** A loader for a program that is one text: there is nothing beside it. */
export const noFiles: Loader = { load: () => null };

interface State extends CheckState {
  readonly loader: Loader;
  readonly modules: Map<string, ModuleInfo>;
  /** The files being loaded, outermost first. */
  readonly loading: string[];
}

function begin(loader: Loader): State {
  return { loader, diagnostics: [], underWay: [], begun: new Set(), modules: new Map(), loading: [] };
}

/** The standard library, checked when it is first used: it is the same for every program. */
const standard = begin(noFiles);

/** Checks a file and all that it uses. Never throws for a mistake in the program. */
export function check(file: SourceFile, loader: Loader): Program {
  const state = begin(loader);
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
  const module: ModuleInfo = {
    file,
    syntax,
    syntaxErrors: diagnostics,
    missing: new Set(),
    names: new Map(),
    exports: new Map(),
  };
  state.modules.set(file.name, module);
  state.loading.push(file.name);
  const report: Report = (code, span, text, details) =>
    state.diagnostics.push(diagnostic(code, span, text, details));
  bringInPrelude(state, module);
  for (const decl of syntax.decls) if (decl.kind === "use") bringIn(state, report, module, decl);
  declareAll(report, module, syntax);
  for (const info of inCallOrder(module)) checkFunction(state, info);
  state.loading.pop();
  return module;
}

function bringInPrelude(state: State, module: ModuleInfo): void {
  if (module.file.name === preludeName) return;
  for (const [name, top] of loadStandard(state, "prelude").exports) module.names.set(name, top);
}

/** A module of the standard library, with those that it uses. */
function loadStandard(state: State, path: string): ModuleInfo {
  const name = `std/${path}.fec`;
  const known = state.modules.get(name) ?? standard.modules.get(name);
  const module = known ?? loadModule(standard, { name, text: stdSources[path]! });
  if (state === standard || state.modules.has(name)) return module;
  state.modules.set(name, module);
  state.diagnostics.push(...standard.diagnostics.filter((d) => d.primary.span.file === module.file));
  for (const decl of module.syntax.decls) if (decl.kind === "use") loadStandard(state, decl.path.text);
  return module;
}

/** Brings in the names of one `use`; those that can't be are noted as missing. */
function bringIn(state: State, report: Report, module: ModuleInfo, decl: UseDecl): void {
  const used = usedModule(state, report, module, decl);
  for (const name of decl.names) {
    const top = used?.exports.get(name.text);
    if (top !== undefined) {
      declareName(report, module, name.text, name.span, top);
      continue;
    }
    module.missing.add(name.text);
    if (used === null || isBroken(used, name.text)) continue;
    // The program may well write the right name where it uses it.
    const near = closest(name.text, used.exports.keys());
    if (near !== null) module.missing.add(near);
    reportNotDeclared(report, used, name, near);
  }
}

function reportNotDeclared(report: Report, used: ModuleInfo, name: Name, near: string | null): void {
  const target = near === null ? undefined : used.exports.get(near);
  const some = [...used.exports.keys()].slice(0, 8).map((n) => `\`${n}\``);
  report("E0305", name.span, `not in ${used.file.name}`, {
    secondary: target === undefined ? [] : [{ span: target.span, text: `\`${near}\` is declared here` }],
    help:
      near !== null
        ? `did you mean \`${near}\`?`
        : (useHelp(name.text) ??
          (some.length === 0 ? "it declares nothing" : `it declares ${some.join(", ")}`)),
  });
}

/** The module that a `use` names; reports and gives null when there is none. */
function usedModule(state: State, report: Report, module: ModuleInfo, decl: UseDecl): ModuleInfo | null {
  const { text: path, span } = decl.path;
  if (!path.startsWith(".")) {
    if (Object.hasOwn(stdSources, path)) return loadStandard(state, path);
    const near = closest(path, Object.keys(stdSources));
    report("E0304", span, "not in the standard library", {
      help:
        near !== null
          ? `did you mean \`${near}\`?`
          : `a file beside this one is used with \`./\`: \`use ./${path}.{…}\``,
    });
    return null;
  }
  const file = state.loader.load(path, module.file.name);
  if (file === null) {
    const tried = state.loader.place?.(path, module.file.name);
    report("E0304", span, tried === undefined ? "no such file" : `there is no file ${tried}`, {
      help: "the path is relative to this file, without `.fec`",
    });
    return null;
  }
  const circle = state.loading.indexOf(file.name);
  if (circle < 0) return loadModule(state, file);
  report("E0306", span, [...state.loading.slice(circle), file.name].join(" → "), {
    help: "move what both need into a third file",
  });
  return null;
}

/** Names of the prelude may be declared anew; others only once. */
function declareName(report: Report, module: ModuleInfo, name: string, span: Span, top: TopLevel): void {
  const before = module.names.get(name);
  const fromPrelude =
    before !== undefined && before.span.file.name === preludeName && span.file.name !== preludeName;
  if (before !== undefined && !fromPrelude && before !== top) {
    report("E0303", span, "again here", {
      secondary: [{ span: before.span, text: "first here" }],
      help: "give one of them another name",
    });
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
      if (info === null) module.missing.add(decl.name.text);
      else own(info.name, info.span, info);
    } else if (decl.kind === "struct") {
      const info = declareStruct(report, module, decl);
      structs.push([info, decl]);
      own(info.name, info.span, info);
    }
  }
  for (const [info, decl] of structs) declareFields(report, info, decl);
  reportSelfContaining(
    report,
    structs.map(([info]) => info),
  );
  for (const decl of syntax.decls) {
    if (decl.kind !== "function") continue;
    const info = declareFunction(report, module, decl);
    own(info.name, info.span, info);
  }
}
