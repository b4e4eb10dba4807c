/**
 * The grammar of declarations, and `parse`: a text in, a syntax tree and all its syntax errors out.
 *
 *     module     declaration*
 *     function   fn name [dims] ( params ) (-> type)?  (= expression | block)  (vjp ( names ) -> expression)?
 *
 * The grammar is one Chevrotain parser whose rules stand in several files, each adding to the one before: `recovery.ts`,
 * `parse-types.ts`, `parse-patterns.ts`, `parse-primaries.ts`, `parse-blocks.ts`, `parse-expressions.ts`,
 * `parse-structs.ts` and this one.
 */
import type { Diagnostic } from "./diagnostic.ts";
import { tokenize, type TokenStream } from "./lexer.ts";
import { StructGrammar } from "./parse-structs.ts";
import { maxNesting, TooManyErrors, type Rule } from "./recovery.ts";
import type { SourceFile } from "./source.ts";
import { inWords, meantDeclaration, mistake, spanOf, wanting } from "./syntax-errors.ts";
import type {
  ConstDecl,
  CustomVjp,
  Decl,
  Expr,
  FunctionDecl,
  Module,
  Name,
  Param,
  TypeExpr,
  UseDecl,
} from "./syntax.ts";
import * as T from "./tokens.ts";
import { depthOf } from "./tree-depth.ts";

/** The largest source text, in characters. */
export const maxFileLength = 1_000_000;

/** So many errors of one file are reported; then E0126 closes the list. */
export const maxErrors = 50;

/** Trees may be this deep: `a + b + …` makes a deep one without being nested in brackets. */
const maxDepth = 4 * maxNesting;

/** What `parse` gives: the tree of everything that could be understood, and the diagnostics in order of place. */
export interface ParseResult {
  readonly module: Module;
  readonly diagnostics: Diagnostic[];
}

/** Parses a file; never throws. What is broken is missing from the tree, or an `error` expression in it. */
export function parse(file: SourceFile): ParseResult {
  const span = { file, start: 0, end: file.text.length };
  if (file.text.length > maxFileLength) {
    const primary = {
      span: { file, start: 0, end: 0 },
      text: `${file.text.length} characters; ${maxFileLength} are allowed`,
    };
    return {
      module: { span, decls: [], comments: [] },
      diagnostics: [mistake("E0125", "file too large", primary)],
    };
  }
  const stream = tokenize(file);
  const { decls, diagnostics } = grammar.parse(file, stream);
  return { module: { span, decls, comments: stream.comments }, diagnostics };
}

class Grammar extends StructGrammar {
  constructor() {
    super();
    this.performSelfAnalysis();
  }

  /** Runs the grammar over the tokens of a file. */
  parse(file: SourceFile, stream: TokenStream): { decls: Decl[]; diagnostics: Diagnostic[] } {
    const decls: Decl[] = [];
    const diagnostics = stream.diagnostics.slice(0, maxErrors);
    let tooMany = stream.diagnostics.length > maxErrors;
    if (!tooMany) {
      this.begin(file, stream, diagnostics, maxErrors);
      try {
        this.module(decls);
      } catch (error) {
        if (!(error instanceof TooManyErrors)) throw error;
        tooMany = true;
      }
    }
    diagnostics.sort((a, b) => a.primary.span.start - b.primary.span.start);
    if (tooMany) {
      const { span } = diagnostics.at(-1)!.primary;
      diagnostics.push(
        mistake("E0126", "too many errors", { span, text: `the first ${maxErrors} are shown` }),
      );
    }
    return { decls, diagnostics };
  }

  private module = this.RULE("module", (decls: Decl[]) => {
    this.ACTION(() => this.reachDeclaration());
    this.MANY(() => {
      this.guarded(
        () => {
          const start = this.LA(1);
          const decl = this.SUBRULE(this.declaration);
          this.ACTION(() => {
            if (depthOf(decl) > maxDepth) this.tooDeep(start);
            decls.push(decl);
          });
        },
        undefined,
        () => false,
      );
      this.ACTION(() => this.reachDeclaration());
    });
  });

  private declaration: Rule<Decl> = this.RULE("declaration", () =>
    this.OR<Decl>([
      { ALT: () => this.SUBRULE(this.useDecl) },
      { ALT: () => this.SUBRULE(this.constDecl) },
      { ALT: () => this.SUBRULE(this.structDecl) },
      { ALT: () => this.SUBRULE(this.functionDecl) },
    ]),
  );

  /** Goes to the next declaration or the end of the file, and reports what stands before it. */
  private reachDeclaration(): void {
    const resumes = () => this.firstOnLine() && meantDeclaration(this.LA(1).image) !== null;
    while (!this.guarded(() => this.expectDeclaration(), false, resumes));
  }

  /** Reads a token and fails, unless a declaration or the end of the file comes next. */
  private expectDeclaration(): true {
    const found = this.LA(1);
    const { tokenType: type, image } = found;
    if (type === T.EOF || type === T.Use || type === T.Const || type === T.Struct || type === T.Fn)
      return true;
    if (this.LA(0).tokenType !== T.EOF && !this.firstOnLine()) {
      this.unexpected(
        "an operator or a new declaration",
        type === T.Semicolon ? "declarations end without `;`" : null,
      );
    }
    if (type === T.RParen || type === T.RBracket || type === T.RBrace) this.unexpected("a declaration");
    this.SKIP_TOKEN();
    const meant = meantDeclaration(image);
    const primary = { span: spanOf(this.file, found), text: "expected `use`, `const`, `struct` or `fn`" };
    const help = meant === null ? null : `did you mean \`${meant}\`?`;
    this.fail(mistake("E0121", `found ${inWords(found)}, expected a declaration`, primary, help));
  }

  // use

  private useDecl: Rule<UseDecl> = this.RULE("useDecl", () => {
    const word = this.CONSUME(T.Use);
    const path = this.SUBRULE(this.path);
    this.CONSUME(T.Dot, wanting("names"));
    const open = this.CONSUME(T.LBrace, wanting("names"));
    this.opened(open);
    const names = this.SUBRULE(this.names);
    this.CONSUME(T.RBrace);
    this.closed();
    return this.ACTION((): UseDecl => ({ kind: "use", span: this.spanFrom(word), path, names }));
  });

  /** `nn`, `./blocks`, `../models/blocks`. */
  private path: Rule<Name> = this.RULE("path", () => {
    const start = this.LA(1);
    this.MANY(() => {
      this.OR([{ ALT: () => this.CONSUME(T.Dot) }, { ALT: () => this.CONSUME(T.DotDot) }]);
      this.CONSUME(T.Slash, wanting("path"));
    });
    this.CONSUME(T.Identifier, wanting("path"));
    this.MANY2(() => {
      this.CONSUME2(T.Slash);
      this.CONSUME2(T.Identifier, wanting("path"));
    });
    return this.ACTION(() => {
      const span = this.spanFrom(start);
      return { text: this.file.text.slice(span.start, span.end).replace(/\s|#.*/g, ""), span };
    });
  });

  // const

  private constDecl: Rule<ConstDecl> = this.RULE("constDecl", () => {
    const word = this.CONSUME(T.Const);
    const name = this.CONSUME(T.Identifier, wanting("name"));
    this.CONSUME(T.Equals, wanting("value"));
    const value = this.SUBRULE(this.expression);
    return this.ACTION((): ConstDecl => {
      return {
        kind: "const",
        span: this.spanFrom(word),
        doc: this.docBefore(word),
        name: this.nameOf(name),
        value,
      };
    });
  });

  // fn

  private functionDecl: Rule<FunctionDecl> = this.RULE("functionDecl", () => {
    const word = this.CONSUME(T.Fn);
    const name = this.CONSUME(T.Identifier, wanting("name"));
    const dims = this.SUBRULE(this.bracketedNames);
    const params = this.SUBRULE(this.params);
    let result: TypeExpr | null = null;
    this.OPTION(() => {
      this.CONSUME(T.Arrow);
      result = this.SUBRULE(this.type);
    });
    const broken: Expr = { kind: "error", span: spanOf(this.file, name) };
    const resumes = () => false;
    const body = this.guarded(() => this.SUBRULE(this.body), broken, resumes);
    let vjp: CustomVjp | null = null;
    this.OPTION2({
      GATE: () => this.LA(1).image === "vjp" && this.LA(2).tokenType === T.LParen,
      DEF: () => (vjp = this.guarded(() => this.SUBRULE(this.customVjp), null, resumes)),
    });
    return this.ACTION((): FunctionDecl => {
      const [span, doc] = [this.spanFrom(word), this.docBefore(word)];
      return { kind: "function", span, doc, name: this.nameOf(name), dims, params, result, body, vjp };
    });
  });

  private params: Rule<Param[]> = this.RULE("params", () => {
    const params: Param[] = [];
    this.opened(this.CONSUME(T.LParen, wanting("parameters")));
    this.MANY_SEP({ SEP: T.Comma, DEF: () => params.push(this.SUBRULE(this.param)) });
    this.CONSUME(T.RParen);
    this.closed();
    return params;
  });

  private param: Rule<Param> = this.RULE("param", () => {
    const name = this.CONSUME(T.Identifier, wanting("name"));
    this.CONSUME(T.Colon, wanting("parameter type"));
    const type = this.SUBRULE(this.type);
    return this.ACTION(() => ({ span: this.spanFrom(name), name: this.nameOf(name), type }));
  });

  private body: Rule<Expr> = this.RULE("body", () =>
    this.OR({
      DEF: [
        {
          ALT: () => {
            this.CONSUME(T.Equals);
            return this.SUBRULE(this.expression);
          },
        },
        { ALT: () => this.SUBRULE(this.block) },
      ],
      ...wanting("body"),
    }),
  );

  private customVjp: Rule<CustomVjp> = this.RULE("customVjp", () => {
    const word = this.CONSUME(T.Identifier);
    const params = this.SUBRULE(this.nameList);
    this.CONSUME(T.Arrow, wanting("arrow"));
    const body = this.SUBRULE(this.expression);
    return this.ACTION(() => ({ span: this.spanFrom(word), params, body }));
  });
}

const grammar = new Grammar();
