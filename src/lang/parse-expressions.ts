/**
 * The grammar of expressions, blocks and patterns.
 *
 *     expression  operand (operator operand)*                             the tree is made by precedence.ts
 *     operand     (- | not)*  (primary ([…] | (…) | .name)*  |  a form that extends to the right)
 *     block       { (let pattern = expression)*  expression }             a statement a line
 */
import type { IToken } from "chevrotain";
import { TypeGrammar } from "./parse-types.ts";
import { treeOf, type Item, type TreeBuilder } from "./precedence.ts";
import { maxNesting, type Rule } from "./recovery.ts";
import { join, textOf } from "./source.ts";
import { confusedEquals, mistake, spanOf, wanting } from "./syntax-errors.ts";
import type { BinaryOp, Binder, Expr, Let, Name, Pattern, Reducer } from "./syntax.ts";
import * as T from "./tokens.ts";

type Items = Item<Expr>[];

/** A line of a block: a `let`, or an expression, which is the result if it is the last. */
type Statement = { readonly kind: "let"; readonly value: Let } | { readonly kind: "result"; readonly value: Expr };

const startsExpression = new Set([
  T.NumberLiteral, T.True, T.False, T.Identifier, T.LParen, T.LBracket, T.LBrace, T.Minus, T.Not,
  T.For, T.If, T.Fold, T.Fn, T.Sum, T.Prod, T.Max, T.Min, T.Mean, T.Argmax, T.Argmin, T.Count, T.Any, T.All,
]);

export abstract class ExpressionGrammar extends TypeGrammar {
  protected expression: Rule<Expr> = this.RULE("expression", () => {
    const items: Items = [];
    this.enter();
    this.SUBRULE(this.operand, { ARGS: [items] });
    this.MANY({
      GATE: () => this.continues(),
      DEF: () => {
        const token = this.SUBRULE(this.infix);
        items.push({ kind: "infix", op: token.image as BinaryOp, token });
        this.SUBRULE2(this.operand, { ARGS: [items] });
      },
    });
    this.leave();
    return this.ACTION(() => treeOf(items, this.expressionBuilder, maxNesting));
  });

  private infix: Rule<IToken> = this.RULE("infix", () =>
    this.OR([
      { ALT: () => this.CONSUME(T.Or) },
      { ALT: () => this.CONSUME(T.And) },
      { ALT: () => this.CONSUME(T.EqualEqual) },
      { ALT: () => this.CONSUME(T.NotEqual) },
      { ALT: () => this.CONSUME(T.Less) },
      { ALT: () => this.CONSUME(T.LessEqual) },
      { ALT: () => this.CONSUME(T.Greater) },
      { ALT: () => this.CONSUME(T.GreaterEqual) },
      { ALT: () => this.CONSUME(T.Plus) },
      { ALT: () => this.CONSUME(T.Minus) },
      { ALT: () => this.CONSUME(T.Star) },
      { ALT: () => this.CONSUME(T.Slash) },
      { ALT: () => this.CONSUME(T.SlashSlash) },
      { ALT: () => this.CONSUME(T.Percent) },
      { ALT: () => this.CONSUME(T.Caret) },
    ]),
  );

  /**
   * Adds an operand and the prefixes before it to the flat list. Few rules take part in a level of nesting on purpose:
   * each costs a part of the stack. A form that extends to the right has taken every postfix already.
   */
  private operand = this.RULE("operand", (items: Items) => {
    this.MANY(() => {
      const token = this.OR([{ ALT: () => this.CONSUME(T.Minus) }, { ALT: () => this.CONSUME(T.Not) }]);
      this.ACTION(() => items.push({ kind: "prefix", op: token.tokenType === T.Not ? "not" : "-", token }));
    });
    let node = this.OR2<Expr>({
      DEF: [
        { ALT: () => this.SUBRULE(this.forLoop) },
        // `max[` is a reduction, never an element of something called `max`: the first alternative wins.
        { GATE: () => this.continues(2), ALT: () => this.SUBRULE(this.reduction), IGNORE_AMBIGUITIES: true },
        { ALT: () => this.SUBRULE(this.conditional) },
        { ALT: () => this.SUBRULE(this.fold) },
        { ALT: () => this.SUBRULE(this.lambda) },
        { ALT: () => this.SUBRULE(this.literal) },
        { ALT: () => this.SUBRULE(this.nameOrStruct) },
        { ALT: () => this.SUBRULE(this.parenthesised) },
        { ALT: () => this.SUBRULE(this.list) },
        { ALT: () => this.SUBRULE(this.block) },
      ],
      ...wanting("expression"),
    });
    this.MANY2({
      GATE: () => this.continues(),
      DEF: () => {
        const target = node;
        node = this.OR3([
          { ALT: () => this.SUBRULE(this.indexing, { ARGS: [target] }) },
          { ALT: () => this.SUBRULE(this.call, { ARGS: [target] }) },
          { ALT: () => this.SUBRULE(this.fieldAccess, { ARGS: [target] }) },
        ]);
      },
    });
    this.ACTION(() => items.push({ kind: "operand", node }));
  });

  private expressionBuilder: TreeBuilder<Expr> = {
    binary: (op, token, left, right) => ({
      kind: "binary", span: join(left.span, right.span), op, opSpan: spanOf(this.file, token), left, right,
    }),
    unary: (op, token, operand) => ({ kind: "unary", span: join(spanOf(this.file, token), operand.span), op, operand }),
    chained: (first, second, middle) => {
      const text = textOf(middle.span);
      const example = text.length > 40 ? "" : `: \`… ${first.image} ${text} and ${text} ${second.image} …\``;
      const primary = { span: spanOf(this.file, second), text: "and this one compares its result" };
      const origin = { span: spanOf(this.file, first), text: "this comparison gives a bool" };
      this.fail(mistake("E0116", "comparisons can't be chained", primary, `join two comparisons by \`and\`${example}`, [origin]));
    },
    tooDeep: (token) => this.tooDeep(token),
  };

  // Forms that extend to the right

  private forLoop: Rule<Expr> = this.RULE("forLoop", () => {
    const word = this.CONSUME(T.For);
    const binders = this.SUBRULE(this.binders);
    this.CONSUME(T.Arrow, wanting("arrow"));
    const body = this.SUBRULE(this.expression);
    return this.ACTION((): Expr => ({ kind: "for", span: this.spanFrom(word), binders, body }));
  });

  private reduction: Rule<Expr> = this.RULE("reduction", () => {
    const word = this.OR([
      { ALT: () => this.CONSUME(T.Sum) },
      { ALT: () => this.CONSUME(T.Prod) },
      { ALT: () => this.CONSUME(T.Max) },
      { ALT: () => this.CONSUME(T.Min) },
      { ALT: () => this.CONSUME(T.Mean) },
      { ALT: () => this.CONSUME(T.Argmax) },
      { ALT: () => this.CONSUME(T.Argmin) },
      { ALT: () => this.CONSUME(T.Count) },
      { ALT: () => this.CONSUME(T.Any) },
      { ALT: () => this.CONSUME(T.All) },
    ]);
    this.opened(this.CONSUME(T.LBracket, wanting("binders")));
    const binders = this.SUBRULE(this.binders);
    this.CONSUME(T.RBracket);
    this.closed();
    const head = this.ACTION(() => this.spanFrom(word));
    const body = this.SUBRULE(this.expression);
    return this.ACTION((): Expr => {
      return { kind: "reduce", span: this.spanFrom(word), reducer: word.image as Reducer, head, binders, body };
    });
  });

  private binders: Rule<Binder[]> = this.RULE("binders", () => {
    const binders: Binder[] = [];
    this.AT_LEAST_ONE_SEP({ SEP: T.Comma, DEF: () => binders.push(this.SUBRULE(this.binder)), ...wanting("binder") });
    return binders;
  });

  /** `i`, `i: n` or `i: lo .. hi`. */
  private binder: Rule<Binder> = this.RULE("binder", () => {
    const word = this.CONSUME(T.Identifier, wanting("binder"));
    let from: Expr | null = null;
    let to: Expr | null = null;
    this.OPTION(() => {
      this.CONSUME(T.Colon);
      this.ACTION(() => this.expectRange());
      to = this.SUBRULE(this.expression);
      this.OPTION2(() => {
        this.CONSUME(T.DotDot);
        from = to;
        to = this.SUBRULE2(this.expression);
      });
    });
    return this.ACTION(() => ({ span: this.spanFrom(word), name: this.nameOf(word), from, to }));
  });

  private expectRange(): void {
    const found = this.LA(1);
    if (startsExpression.has(found.tokenType)) return;
    const primary = { span: spanOf(this.file, this.LA(0)), text: "expected a range after this" };
    this.fail(mistake("E0118", "missing range after `:`", primary, "write `i: n` or `i: lo .. hi`, or leave out `:`"));
  }

  private conditional: Rule<Expr> = this.RULE("conditional", () => {
    const word = this.CONSUME(T.If);
    const condition = this.SUBRULE(this.expression);
    this.CONSUME(T.Then, wanting("then"));
    const yes = this.SUBRULE2(this.expression);
    this.CONSUME(T.Else, wanting("else"));
    const no = this.SUBRULE3(this.expression);
    return this.ACTION((): Expr => ({ kind: "if", span: this.spanFrom(word), condition, yes, no }));
  });

  private fold: Rule<Expr> = this.RULE("fold", () => {
    const word = this.CONSUME(T.Fold);
    const accumulator = this.SUBRULE(this.target);
    this.CONSUME(T.Equals, wanting("value"));
    const init = this.SUBRULE(this.expression);
    this.CONSUME(T.For);
    let over: { readonly item: Name; readonly list: Expr } | { readonly binder: Binder } | null = null;
    this.OR({
      DEF: [
        {
          ALT: () => {
            const item = this.CONSUME(T.Identifier);
            this.CONSUME(T.In);
            const list = this.SUBRULE2(this.expression);
            over = this.ACTION(() => ({ item: this.nameOf(item), list }));
          },
        },
        { ALT: () => (over = { binder: this.SUBRULE(this.binder) }) },
      ],
      ...wanting("binder"),
    });
    this.CONSUME(T.Arrow, wanting("arrow"));
    const body = this.SUBRULE3(this.expression);
    return this.ACTION((): Expr => {
      const span = this.spanFrom(word);
      return over !== null && "binder" in over
        ? { kind: "fold-count", span, accumulator, init, binder: over.binder, body }
        : { kind: "fold-list", span, accumulator, init, ...over!, body };
    });
  });

  private lambda: Rule<Expr> = this.RULE("lambda", () => {
    this.ACTION(() => this.expectNoDeclaration());
    const word = this.CONSUME(T.Fn);
    const params = this.SUBRULE(this.nameList);
    this.CONSUME(T.Arrow, wanting("arrow"));
    const body = this.SUBRULE(this.expression);
    return this.ACTION((): Expr => ({ kind: "lambda", span: this.spanFrom(word), params, body }));
  });

  /** A line that begins with `fn name` is a declaration: what stands before it is not finished. */
  private expectNoDeclaration(): void {
    if (!this.atDeclaration()) return;
    const primary = { span: spanOf(this.file, this.LA(1)), text: "a declaration begins here" };
    this.fail(mistake("E0107", "found a declaration, expected an expression", primary));
  }

  /** `(a, b)` where names are introduced without types: `fn (a, b) -> …`, `vjp (a, b) -> …`. */
  protected nameList: Rule<Name[]> = this.RULE("nameList", () => {
    const names: Name[] = [];
    this.opened(this.CONSUME(T.LParen, wanting("parameters")));
    this.MANY_SEP({
      SEP: T.Comma,
      DEF: () => {
        const token = this.CONSUME(T.Identifier, wanting("name"));
        this.ACTION(() => names.push(this.nameOf(token)));
      },
    });
    this.CONSUME(T.RParen);
    this.closed();
    return names;
  });

  // Primaries

  private indexing = this.RULE("indexing", (target: Expr): Expr => {
    const indices: Expr[] = [];
    let padding: Expr | null = null;
    this.opened(this.CONSUME(T.LBracket));
    this.AT_LEAST_ONE_SEP({
      SEP: T.Comma,
      DEF: () => indices.push(this.SUBRULE(this.expression)),
      ...wanting("expression"),
    });
    this.OPTION(() => {
      this.CONSUME(T.Bar);
      padding = this.SUBRULE2(this.expression);
    });
    const close = this.CONSUME(T.RBracket);
    this.closed();
    return this.ACTION(() => {
      return { kind: "index", span: join(target.span, spanOf(this.file, close)), target, indices, padding };
    });
  });

  private call = this.RULE("call", (callee: Expr): Expr => {
    const args: Expr[] = [];
    this.opened(this.CONSUME(T.LParen));
    this.MANY_SEP({ SEP: T.Comma, DEF: () => args.push(this.SUBRULE(this.expression)) });
    const close = this.CONSUME(T.RParen);
    this.closed();
    return this.ACTION(() => ({ kind: "call", span: join(callee.span, spanOf(this.file, close)), callee, args }));
  });

  private fieldAccess = this.RULE("fieldAccess", (target: Expr): Expr => {
    this.CONSUME(T.Dot);
    const token = this.CONSUME(T.Identifier, wanting("name"));
    return this.ACTION(() => {
      const field = this.nameOf(token);
      return { kind: "field", span: join(target.span, field.span), target, field };
    });
  });

  private literal: Rule<Expr> = this.RULE("literal", () => {
    const token = this.OR([
      { ALT: () => this.CONSUME(T.NumberLiteral) },
      { ALT: () => this.CONSUME(T.True) },
      { ALT: () => this.CONSUME(T.False) },
    ]);
    return this.ACTION((): Expr => {
      const span = spanOf(this.file, token);
      if (token.tokenType !== T.NumberLiteral) return { kind: "bool", span, value: token.tokenType === T.True };
      // What is not a number has been reported by the lexer; any value will do for it.
      const value = Number(token.image);
      return { kind: "number", span, value: Number.isFinite(value) ? value : 0, isInteger: /^\d+$/.test(token.image) };
    });
  });

  /** `x`, `max` (the function, where no `[` makes it a reduction), or `S { a: x, …p }`. */
  private nameOrStruct: Rule<Expr> = this.RULE("nameOrStruct", () => {
    const token = this.OR([
      { ALT: () => this.CONSUME(T.Identifier) },
      { ALT: () => this.CONSUME(T.Max) },
      { ALT: () => this.CONSUME(T.Min) },
    ]);
    let expr = this.ACTION((): Expr => ({ kind: "name", span: spanOf(this.file, token), name: token.image }));
    this.OPTION({
      GATE: () => this.continues(),
      DEF: () => (expr = this.SUBRULE(this.structFields, { ARGS: [token] })),
    });
    return expr;
  });

  private structFields = this.RULE("structFields", (word: IToken): Expr => {
    const fields: { readonly name: Name; readonly value: Expr }[] = [];
    let spread: Expr | null = null;
    this.opened(this.CONSUME(T.LBrace));
    this.MANY_SEP({
      SEP: T.Comma,
      DEF: () =>
        this.OR({
          DEF: [
            {
              ALT: () => {
                this.CONSUME(T.Ellipsis);
                this.ACTION(() => this.expectFirst(spread === null && fields.length === 0));
                spread = this.SUBRULE(this.expression);
              },
            },
            {
              ALT: () => {
                const name = this.CONSUME(T.Identifier);
                this.CONSUME(T.Colon, wanting("field value"));
                const value = this.SUBRULE2(this.expression);
                this.ACTION(() => fields.push({ name: this.nameOf(name), value }));
              },
            },
          ],
          ...wanting("field"),
        }),
    });
    this.CONSUME(T.RBrace);
    this.closed();
    return this.ACTION(() => ({ kind: "struct", span: this.spanFrom(word), name: this.nameOf(word), spread, fields }));
  });

  private expectFirst(isFirst: boolean): void {
    if (isFirst) return;
    const primary = { span: spanOf(this.file, this.LA(0)), text: "expected a field" };
    this.fail(mistake("E0127", "the struct to update comes first", primary, "write `S { ...p, b: y }`"));
  }

  private parenthesised: Rule<Expr> = this.RULE("parenthesised", () => {
    const open = this.CONSUME(T.LParen);
    const items: Expr[] = [];
    this.opened(open);
    this.AT_LEAST_ONE_SEP({
      SEP: T.Comma,
      DEF: () => items.push(this.SUBRULE(this.expression)),
      ...wanting("expression"),
    });
    this.CONSUME(T.RParen);
    this.closed();
    return this.ACTION((): Expr => {
      const span = this.spanFrom(open);
      return items.length === 1 ? { ...items[0]!, span } : { kind: "tuple", span, items };
    });
  });

  private list: Rule<Expr> = this.RULE("list", () => {
    const open = this.CONSUME(T.LBracket);
    const items: Expr[] = [];
    this.opened(open);
    this.MANY_SEP({ SEP: T.Comma, DEF: () => items.push(this.SUBRULE(this.expression)) });
    this.CONSUME(T.RBracket);
    this.closed();
    return this.ACTION((): Expr => ({ kind: "list", span: this.spanFrom(open), items }));
  });

  // Blocks

  protected block: Rule<Expr> = this.RULE("block", () => {
    const open = this.CONSUME(T.LBrace);
    const statements: (Statement | null)[] = [];
    this.enter();
    this.opened(open, true);
    const resumes = () => this.atStatement();
    this.guarded(() => this.ACTION(() => this.expectStatement()), undefined, resumes);
    this.MANY({
      GATE: () => this.atStatement(),
      DEF: () =>
        statements.push(
          this.guarded<Statement | null>(
            () => {
              const statement = this.SUBRULE(this.statement);
              this.ACTION(() => this.expectStatement());
              return statement;
            },
            null,
            resumes,
          ),
        ),
    });
    this.CONSUME(T.RBrace);
    this.closed();
    this.leave();
    return this.ACTION(() => this.blockOf(open, statements));
  });

  private statement: Rule<Statement> = this.RULE("statement", () =>
    this.OR<Statement>([
      {
        ALT: () => {
          const value = this.SUBRULE(this.letStatement);
          return { kind: "let", value };
        },
      },
      {
        ALT: () => {
          const value = this.SUBRULE(this.expression);
          return { kind: "result", value };
        },
      },
    ]),
  );

  private letStatement: Rule<Let> = this.RULE("letStatement", () => {
    const word = this.CONSUME(T.Let);
    const pattern = this.SUBRULE(this.pattern);
    this.CONSUME(T.Equals, wanting("value"));
    const value = this.SUBRULE(this.expression);
    return this.ACTION(() => ({ span: this.spanFrom(word), pattern, value }));
  });

  /** Whether a statement begins at the next token; in a block written on one line it may do so anywhere. */
  private atStatement(): boolean {
    const type = this.LA(1).tokenType;
    if (type !== T.Let && !startsExpression.has(type)) return false;
    if (this.atDeclaration()) return false;
    return type === T.Let || this.LA(0).tokenType === T.LBrace || this.firstOnLine() || this.onOneLine();
  }

  /** Fails unless the statement before the next token is finished. */
  private expectStatement(): void {
    const type = this.LA(1).tokenType;
    if (type === T.RBrace || type === T.EOF || this.atDeclaration()) return;
    if (type === T.Let ? this.firstOnLine() || this.onOneLine() : this.atStatement()) return;
    if (type === T.Equals) this.fail(confusedEquals(spanOf(this.file, this.LA(1)), "expected an operator or a new line"));
    this.unexpected("an operator or a new line", type === T.Semicolon ? "a statement ends with its line, without `;`" : null);
  }

  private blockOf(open: IToken, statements: readonly (Statement | null)[]): Expr {
    const span = this.spanFrom(open);
    const lets = statements.flatMap((statement) => (statement?.kind === "let" ? [statement.value] : []));
    const results = statements.flatMap((statement) => (statement?.kind === "result" ? [statement.value] : []));
    const last = statements.at(-1);
    const [first] = results;
    // With a statement missing, names would be missing too: nothing true can be said of such a block.
    if (statements.includes(null)) return { kind: "error", span };
    if (first === undefined) {
      const primary = { span: spanOf(this.file, this.LA(0)), text: "expected the block's result before this" };
      const help = lets.length === 0 ? "a block is a value: `{ let y = f(x)  y }`, a statement a line" : "end the block with an expression";
      this.report(mistake("E0113", "block without a result", primary, help));
      return { kind: "error", span };
    }
    if (last?.kind !== "result" || results.length > 1) {
      const after = statements[statements.findIndex((statement) => statement?.kind === "result") + 1]!;
      const primary = { span: after.value.span, text: "nothing may follow the result" };
      const continues = /^[([{-]/.test(textOf(after.value.span));
      const help = continues
        ? "a line that begins so doesn't continue the line before; put the operator at the end of that line"
        : "name the values before the last one by `let`";
      this.report(mistake("E0114", "statement after the result", primary, help, [{ span: first.span, text: "the block's result" }]));
    }
    return { kind: "block", span, lets, result: first };
  }

  // Patterns

  /** What a `let` binds: a name, names in parentheses, or `y[i, j]`. */
  private pattern: Rule<Pattern> = this.RULE("pattern", () => {
    let pattern = this.SUBRULE(this.target);
    this.OPTION(() => {
      const open = this.CONSUME(T.LBracket);
      this.ACTION(() => this.expectName(pattern, open));
      this.opened(open);
      const binders = this.SUBRULE(this.binders);
      this.CONSUME(T.RBracket);
      this.closed();
      this.ACTION(() => {
        if (pattern.kind !== "name") return;
        const span = { ...pattern.span, end: this.LA(0).startOffset + 1 };
        pattern = { kind: "indexed", span, name: pattern.name, binders };
      });
    });
    return pattern;
  });

  private expectName(pattern: Pattern, open: IToken): void {
    if (pattern.kind === "name") return;
    const primary = { span: spanOf(this.file, open), text: "expected `=`" };
    this.fail(mistake("E0112", "only a name can be given indices", primary, "`let y[i, j] = …` defines one tensor"));
  }

  /** A name, or a tuple of targets. */
  private target: Rule<Pattern> = this.RULE("target", () => {
    this.enter();
    const pattern = this.OR<Pattern>({
      DEF: [
        {
          ALT: () => {
            const token = this.CONSUME(T.Identifier);
            return this.ACTION(() => ({ kind: "name", span: spanOf(this.file, token), name: this.nameOf(token) }));
          },
        },
        { ALT: () => this.SUBRULE(this.tupleTarget) },
      ],
      ...wanting("pattern"),
    });
    this.leave();
    return pattern;
  });

  private tupleTarget: Rule<Pattern> = this.RULE("tupleTarget", () => {
    const open = this.CONSUME(T.LParen);
    const items: Pattern[] = [];
    this.opened(open);
    this.AT_LEAST_ONE_SEP({ SEP: T.Comma, DEF: () => items.push(this.SUBRULE(this.target)), ...wanting("pattern") });
    this.CONSUME(T.RParen);
    this.closed();
    return this.ACTION((): Pattern => ({ kind: "tuple", span: this.spanFrom(open), items }));
  });
}
