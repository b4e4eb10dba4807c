/**
 * The grammar of expressions: operators, and the forms that extend as far right as they can.
 *
 *     expression  operand (operator operand)*                  the tree is made by precedence.ts
 *     operand     (- | not)*  (primary postfix*  |  form)
 *     form        for …  |  sum[…] …  |  if …  |  fold …  |  fn …
 */
import type { IToken } from "chevrotain";
import { BlockGrammar } from "./parse-blocks.ts";
import { treeOf, type Item, type TreeBuilder } from "./precedence.ts";
import { maxNesting, type Rule } from "./recovery.ts";
import { join, textOf } from "./source.ts";
import { mistake, spanOf, wanting } from "./syntax-errors.ts";
import type { BinaryOp, Binder, Expr, Name, Reducer } from "./syntax.ts";
import * as T from "./tokens.ts";

type Items = Item<Expr>[];

export abstract class ExpressionGrammar extends BlockGrammar {
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
      kind: "binary",
      span: join(left.span, right.span),
      op,
      opSpan: spanOf(this.file, token),
      left,
      right,
    }),
    unary: (op, token, operand) => ({
      kind: "unary",
      span: join(spanOf(this.file, token), operand.span),
      op,
      operand,
    }),
    chained: (first, second, middle) => {
      const text = textOf(middle.span);
      const example = text.length > 40 ? "" : `: \`… ${first.image} ${text} and ${text} ${second.image} …\``;
      const primary = { span: spanOf(this.file, second), text: "and this one compares its result" };
      const origin = { span: spanOf(this.file, first), text: "this comparison gives a bool" };
      this.fail(
        mistake(
          "E0116",
          "comparisons can't be chained",
          primary,
          `join two comparisons by \`and\`${example}`,
          [origin],
        ),
      );
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
      return {
        kind: "reduce",
        span: this.spanFrom(word),
        reducer: word.image as Reducer,
        head,
        binders,
        body,
      };
    });
  });

  private conditional: Rule<Expr> = this.RULE("conditional", () => {
    const word = this.CONSUME(T.If);
    const condition = this.SUBRULE(this.expression);
    this.CONSUME(T.Then, wanting("then branch"));
    const yes = this.SUBRULE2(this.expression);
    this.CONSUME(T.Else, wanting("else branch"));
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
}
