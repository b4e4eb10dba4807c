/**
 * Random programs that the checker must accept: a few functions over f32 tensors with every feature that has a derivative,
 * and the integers, conditions and indices around them. Numbers stay moderate, and what has a pole or a root stays away
 * from it by construction, so that derivatives can be held to differences.
 */
import { type RandomSource, randomSource } from "../programs/random-source.ts";
import {
  type Dim,
  type IndexVariable,
  type Scope,
  withBool,
  withIdx,
  withIndex,
  withLambda,
  withPair,
  withTensor,
} from "./scope.ts";
import { joined, textOf, tree, type Tree } from "./tree.ts";

export interface RandomProgram {
  readonly seed: number;
  readonly tree: Tree;
  readonly text: string;
  readonly dims: ReadonlyMap<string, number>;
  /** The function to compile. */
  readonly main: string;
  /** What occurs in it. */
  readonly features: ReadonlySet<string>;
}

type Param =
  | { readonly kind: "tensor"; readonly name: string; readonly shape: readonly Dim[] }
  | { readonly kind: "idx"; readonly name: string; readonly shape: readonly Dim[]; readonly bound: Dim }
  | { readonly kind: "bool"; readonly name: string; readonly shape: readonly Dim[] }
  | { readonly kind: "pair"; readonly name: string; readonly size: Dim }
  | { readonly kind: "lambda"; readonly name: string };

/** A function that later ones can call. Its dimensions are `n` and `m`; `given` ones are passed in brackets. */
interface Callable {
  readonly name: string;
  readonly dims: readonly Dim[];
  readonly given: readonly Dim[];
  readonly params: readonly Param[];
  /** One shape for each part of the result. */
  readonly results: readonly (readonly Dim[])[];
}

/** A read at index variables. */
interface Element {
  readonly text: string;
  readonly by: readonly IndexVariable[];
}

const indexNames = ["i", "j", "k", "l", "q", "r"];

export function generate(seed: number, size = 22): RandomProgram {
  return new Generator(randomSource(seed), seed, size).program();
}

class Generator {
  private readonly features = new Set<string>();
  private readonly callables: Callable[] = [];
  private counter = 0;
  /** Loops take time: there is one in a program. */
  private hasLoop = false;
  private fuel = 0;

  constructor(
    private readonly random: RandomSource,
    private readonly seed: number,
    private readonly size: number,
  ) {}

  program(): RandomProgram {
    const declarations: Tree[] = [tree("declaration", "struct Pair[n] {\n  u: f32[n]\n  w: f32\n}\n\n")];
    const helpers = this.random.below(4);
    for (let n = 0; n < helpers; n++) declarations.push(this.helper());
    declarations.push(
      this.function("main", this.mainParams(), ["a", "b", "c"], this.someResults(["a", "b", "c"]), this.size),
    );
    const root = tree("program", ...declarations);
    const dims = new Map(["a", "b", "c"].map((d) => [d, 1 + this.random.below(4)]));
    return { seed: this.seed, tree: root, text: textOf(root), dims, main: "main", features: this.features };
  }

  // Functions

  private mainParams(): Param[] {
    const params: Param[] = [
      { kind: "tensor", name: "x", shape: ["a"] },
      { kind: "tensor", name: "y", shape: ["a", "b"] },
      { kind: "tensor", name: "z", shape: ["c", "c"] },
    ];
    if (this.random.chance(0.5)) params.push({ kind: "tensor", name: "s", shape: [] });
    if (this.random.chance(0.4)) params.push({ kind: "tensor", name: "v", shape: ["2 * a"] });
    if (this.random.chance(0.4)) params.push({ kind: "tensor", name: "w", shape: ["3", "b", "c"] });
    if (this.random.chance(0.5)) params.push({ kind: "idx", name: "g", shape: ["a"], bound: "b" });
    if (this.random.chance(0.3)) params.push({ kind: "idx", name: "h", shape: [], bound: "c" });
    if (this.random.chance(0.3)) params.push({ kind: "bool", name: "on", shape: ["b"] });
    if (this.random.chance(0.5)) params.push({ kind: "pair", name: "p", size: "a" });
    return params;
  }

  private helper(): Tree {
    const name = `f${this.callables.length}`;
    const kind = this.random.choose([
      "scalar",
      "scalar",
      "custom",
      "vector",
      "vector",
      "loss",
      "tuple",
      "given",
      "higher",
    ] as const);
    this.note(`${kind} function`);
    const add = (callable: Omit<Callable, "name">, body: Tree): Tree => {
      this.callables.push({ name, ...callable });
      return body;
    };
    const vector: Param = { kind: "tensor", name: "x", shape: ["n"] };
    const matrix: Param = { kind: "tensor", name: "y", shape: ["n", "m"] };
    switch (kind) {
      case "scalar": {
        const params: Param[] = [
          { kind: "tensor", name: "t", shape: [] },
          { kind: "tensor", name: "u", shape: [] },
        ].slice(0, 1 + this.random.below(2)) as Param[];
        const body = this.function(name, params, [], [[]], 5);
        return add({ dims: [], given: [], params, results: [[]] }, body);
      }
      case "custom":
        return this.customFunction(name);
      case "loss": {
        const params = this.random.chance(0.5) ? [vector] : [vector, matrix];
        const dims = params.length === 1 ? ["n"] : ["n", "m"];
        return add({ dims, given: [], params, results: [[]] }, this.function(name, params, dims, [[]], 8));
      }
      case "vector": {
        const pair: Param = { kind: "pair", name: "p", size: "n" };
        const params: Param[] = this.random.chance(0.4)
          ? [vector, pair]
          : this.random.chance(0.5)
            ? [vector]
            : [vector, matrix];
        const dims = params.includes(matrix) ? ["n", "m"] : ["n"];
        const results = [this.random.choose([["n"], ["n"], ["n", "n"], dims])];
        return add({ dims, given: [], params, results }, this.function(name, params, dims, results, 8));
      }
      case "tuple": {
        const results = [["n"], []];
        return add(
          { dims: ["n", "m"], given: [], params: [vector, matrix], results },
          this.function(name, [vector, matrix], ["n", "m"], results, 8),
        );
      }
      case "given":
        return add(
          { dims: ["m", "n"], given: ["m"], params: [vector], results: [["m"]] },
          this.function(name, [vector], ["n", "m"], [["m"]], 7, ["m"]),
        );
      case "higher": {
        const params: Param[] = [{ kind: "lambda", name: "fun" }, vector];
        return add(
          { dims: ["n"], given: [], params, results: [["n"]] },
          this.function(name, params, ["n"], [["n"]], 7),
        );
      }
    }
  }

  /** A function with a derivative of its own, which is the true one. */
  private customFunction(name: string): Tree {
    const [one, two]: Param[] = [
      { kind: "tensor", name: "t", shape: [] },
      { kind: "tensor", name: "u", shape: [] },
    ];
    const vector: Param = { kind: "tensor", name: "x", shape: ["n"] };
    const forms: readonly { readonly text: string; readonly callable: Omit<Callable, "name"> }[] = [
      {
        text: `fn ${name}(t: f32) -> f32 = t * tanh(t)\n  vjp (t, ct) -> ct * (tanh(t) + t * (1.0 - tanh(t) ^ 2))\n\n`,
        callable: { dims: [], given: [], params: [one!], results: [[]] },
      },
      {
        text: `fn ${name}(t: f32, u: f32) -> f32 = t * sin(u)\n  vjp (t, u, ct) -> (ct * sin(u), ct * t * cos(u))\n\n`,
        callable: { dims: [], given: [], params: [one!, two!], results: [[]] },
      },
      {
        text: `fn ${name}(x: f32[n]) -> f32 = sqrt(1.0 + sum[k] x[k] ^ 2)\n  vjp (x, ct) -> for k -> ct * x[k] / ${name}(x)\n\n`,
        callable: { dims: ["n"], given: [], params: [vector], results: [[]] },
      },
      {
        text: `fn ${name}(x: f32[n], t: f32) -> f32[n] = for k -> x[k] * t\n  vjp (x, t, ct) -> (for k -> ct[k] * t, sum[k] ct[k] * x[k])\n\n`,
        callable: { dims: ["n"], given: [], params: [vector, one!], results: [["n"]] },
      },
    ];
    const { text, callable } = this.random.choose(forms);
    this.callables.push({ name, ...callable });
    return tree("declaration", text);
  }

  private function(
    name: string,
    params: readonly Param[],
    dims: readonly Dim[],
    results: readonly (readonly Dim[])[],
    fuel: number,
    given: readonly Dim[] = [],
  ): Tree {
    let scope: Scope = { dims, indices: [], tensors: [], idx: [], bools: [], pairs: [], lambdas: [] };
    for (const p of params) scope = bind(scope, p);
    this.fuel = fuel;
    const lets: Tree[] = [];
    for (let n = this.random.below(3); n > 0; n--) {
      const made = this.statement(scope);
      lets.push(made.statement);
      scope = made.scope;
    }
    const parts = results.map((shape) => this.tensor(scope, shape));
    const result = parts.length === 1 ? parts[0]! : tree("other", "(", ...joined(parts, ", "), ")");
    const brackets = given.length === 0 ? "" : `[${given.join(", ")}]`;
    const types = results.map(typeText);
    const resultType = this.random.chance(0.3)
      ? ""
      : ` -> ${types.length === 1 ? types[0]! : `(${types.join(", ")})`}`;
    const head = `fn ${name}${brackets}(${params.map(paramText).join(", ")})${resultType}`;
    if (lets.length === 0) return tree("declaration", `${head} =\n  `, result, "\n\n");
    return tree("declaration", `${head} {\n`, ...lets, "  ", result, "\n}\n\n");
  }

  private someResults(dims: readonly Dim[]): (readonly Dim[])[] {
    const shapes: (readonly Dim[])[] = [
      [],
      [dims[0]!],
      [dims[1]!],
      [dims[0]!, dims[1]!],
      ["2 * a"],
      ["2", dims[2]!],
    ];
    const count = this.random.choose([1, 1, 2, 3]);
    return Array.from({ length: count }, () => this.random.choose(shapes));
  }

  // Statements

  private statement(scope: Scope): { readonly statement: Tree; readonly scope: Scope } {
    const name = `t${this.counter++}`;
    const done = (inner: Scope, ...parts: (string | Tree)[]): { statement: Tree; scope: Scope } => ({
      statement: tree("statement", "  ", ...parts, "\n"),
      scope: inner,
    });
    const kind = this.random.choose([
      "scalar",
      "tensor",
      "indexed",
      "indexed",
      "argmax",
      "tuple",
      "pair",
      "tree",
      "bools",
      "call",
    ]);
    switch (kind) {
      case "scalar":
        return done(withTensor(scope, name, []), `let ${name} = `, this.number(scope));
      case "tensor": {
        const shape = this.someShape(scope);
        return done(withTensor(scope, name, shape), `let ${name} = `, this.tensor(scope, shape));
      }
      case "argmax": {
        this.note("argmax");
        const { binders, inner, sizes } = this.binders(scope, this.random.below(2));
        const { variable, inner: body } = this.reductionIndex(inner);
        const op = this.random.choose(["argmax", "argmin"]);
        const target = sizes.length === 0 ? name : `${name}[${binders}]`;
        return done(
          withIdx(scope, name, sizes, variable.size),
          `let ${target} = ${op}[${variable.name}: ${variable.size}] `,
          this.number(body),
        );
      }
      case "tuple":
        this.note("tuple");
        return done(
          withTensor(withTensor(scope, `${name}a`, []), `${name}b`, []),
          `let (${name}a, ${name}b) = (`,
          this.number(scope),
          ", ",
          this.number(scope),
          ")",
        );
      case "pair": {
        const size = this.random.choose(this.sizes(scope));
        this.note("struct");
        return done(withPair(scope, name, size), `let ${name} = `, this.pair(scope, size));
      }
      case "tree": {
        const pair = this.some(scope.pairs);
        if (pair === null) break;
        this.note("tree_map");
        return done(
          withPair(scope, name, pair.size),
          `let ${name} = tree_map(fn (e) -> tanh(e) + 0.1, ${pair.name})`,
        );
      }
      case "bools": {
        const { binders, inner, sizes } = this.binders(scope, 1);
        this.note("bool tensor");
        return done(withBool(scope, name, sizes), `let ${name}[${binders}] = `, this.condition(inner));
      }
      case "call": {
        const callable = this.some(this.callables.filter((c) => c.results.length === 2));
        if (callable === null) break;
        this.note("tuple call");
        const { text, dims } = this.call(scope, callable);
        const shapes = callable.results.map((shape) => shape.map((d) => dims.get(d)!));
        return done(
          withTensor(withTensor(scope, `${name}a`, shapes[0]!), `${name}b`, shapes[1]!),
          `let (${name}a, ${name}b) = `,
          text,
        );
      }
    }
    this.note("let with indices");
    const { binders, inner, sizes } = this.binders(scope, 1 + this.random.below(2));
    return done(withTensor(scope, name, sizes), `let ${name}[${binders}] = `, this.number(inner));
  }

  private pair(scope: Scope, size: Dim): Tree {
    const given = this.some(scope.pairs.filter((p) => p.size === size));
    if (given !== null && this.random.chance(0.3)) return tree("other", given.name);
    if (given !== null && this.random.chance(0.4)) {
      this.note("struct update");
      return tree("other", `Pair { ...${given.name}, w: `, this.number(scope), " }");
    }
    return tree("other", "Pair { u: ", this.tensor(scope, [size]), ", w: ", this.number(scope), " }");
  }

  // Index variables

  private sizes(scope: Scope): Dim[] {
    return [...scope.dims, ...scope.dims, "2", "3"];
  }

  private someShape(scope: Scope): Dim[] {
    return Array.from({ length: this.random.choose([1, 1, 2]) }, () => this.random.choose(this.sizes(scope)));
  }

  /** A name that is new, or, now and then, one that hides another. */
  private indexName(scope: Scope): string {
    const free = indexNames.filter((n) => !scope.indices.some((i) => i.name === n));
    if (free.length === 0 || (scope.indices.length > 0 && this.random.chance(0.08))) {
      this.note("hidden index");
      return this.random.choose(indexNames);
    }
    return free[0]!;
  }

  private binders(
    scope: Scope,
    count: number,
  ): { readonly binders: string; readonly inner: Scope; readonly sizes: Dim[] } {
    const sizes = Array.from({ length: count }, () => this.random.choose(this.sizes(scope)));
    const { names, inner } = this.enter(scope, sizes);
    return { binders: names.map((n, i) => `${n}: ${sizes[i]}`).join(", "), inner, sizes };
  }

  private enter(
    scope: Scope,
    sizes: readonly Dim[],
  ): { readonly names: string[]; readonly inner: Scope; readonly variables: IndexVariable[] } {
    const names: string[] = [];
    const variables: IndexVariable[] = [];
    let inner = scope;
    for (const size of sizes) {
      let name = this.indexName(inner);
      for (let n = 0; names.includes(name); n++) name = `${indexNames[n % indexNames.length]}${n}`;
      names.push(name);
      const variable: IndexVariable = { name, size, tellsRange: false };
      variables.push(variable);
      inner = withIndex(inner, variable);
    }
    return { names, inner, variables };
  }

  private reductionIndex(scope: Scope): { readonly variable: IndexVariable; readonly inner: Scope } {
    // Where something can be read along the axis, it will be.
    const along = scope.tensors.filter((t) => t.shape.length > 0);
    const size =
      along.length > 0 && this.random.chance(0.7)
        ? this.random.choose(this.random.choose(along).shape)
        : this.random.choose(this.sizes(scope));
    const { inner, variables } = this.enter(scope, [size]);
    return { variable: variables[0]!, inner };
  }

  // Tensors

  private tensor(scope: Scope, shape: readonly Dim[]): Tree {
    if (shape.length === 0) return this.number(scope);
    this.fuel--;
    const same = scope.tensors.filter((t) => t.shape.join() === shape.join());
    if (this.fuel < 0 && same.length > 0) return tree("tensor", this.random.choose(same).name);
    const rows = scope.tensors.flatMap((t) =>
      scope.indices
        .filter((i) => i.size === t.shape[0] && t.shape.slice(1).join() === shape.join())
        .map((i) => ({ t, i })),
    );
    const calls = this.callables.filter(
      (c) => c.results.length === 1 && this.instantiations(scope, c, shape).length > 0,
    );
    const kind =
      this.fuel < 0
        ? "for"
        : this.random.choose([
            "for",
            "for",
            "for",
            "for",
            "name",
            "row",
            "elementwise",
            "spread",
            "call",
            "call",
            "if",
            "fold",
            "grad",
          ]);
    switch (kind) {
      case "name":
        if (same.length > 0) return tree("tensor", this.random.choose(same).name);
        break;
      case "row": {
        const row = this.some(rows);
        if (row === null) break;
        row.i.tellsRange = true;
        this.note("row");
        return tree("tensor", `${row.t.name}[${row.i.name}]`);
      }
      case "elementwise": {
        this.note("elementwise");
        const op = this.random.choose([" + ", " - "]);
        return tree("tensor", "(", this.tensor(scope, shape), op, this.tensor(scope, shape), ")");
      }
      case "spread": {
        this.note("spread");
        const fn = this.random.choose(["tanh", "gelu", "silu", "softplus", "sin", "relu"]);
        return tree(
          "tensor",
          `${fn}(`,
          this.random.choose(["0.5 * ", "", "-"]),
          this.tensor(scope, shape),
          ")",
        );
      }
      case "call": {
        const callable = this.some(calls);
        if (callable === null) break;
        this.note("tensor call");
        return tree("tensor", this.call(scope, callable, shape).text);
      }
      case "if":
        this.note("if of tensors");
        return tree(
          "tensor",
          "(if ",
          this.condition(scope),
          " then ",
          this.tensor(scope, shape),
          " else ",
          this.tensor(scope, shape),
          ")",
        );
      case "fold":
        return this.tensorFold(scope, shape);
      case "grad": {
        const callable = this.some(
          this.callables.filter(
            (c) =>
              c.params.length >= 1 &&
              c.params[0]!.kind === "tensor" &&
              c.results.length === 1 &&
              c.given.length === 0,
          ),
        );
        const gradient = callable === null ? null : this.derivativeTensor(scope, callable, shape);
        if (gradient !== null) return gradient;
        break;
      }
    }
    const { names, inner, variables } = this.enter(scope, shape);
    const body = this.number(inner);
    // The range may be left out where a read tells it.
    const binders = names.map((n, i) =>
      variables[i]!.tellsRange && this.random.chance(0.5) ? n : `${n}: ${shape[i]}`,
    );
    this.note("for");
    return tree("tensor", `(for ${binders.join(", ")} -> `, body, ")");
  }

  /** `grad` of a function of a tensor, `vjp`, or `jvp`, where that gives the shape. */
  private derivativeTensor(scope: Scope, callable: Callable, shape: readonly Dim[]): Tree | null {
    const [first] = callable.params as [Extract<Param, { kind: "tensor" }>];
    if (callable.params.some((p) => p.kind !== "tensor")) return null;
    const result = callable.results[0]!;
    if (result.length === 0 && first.shape.length === shape.length) {
      const dims = this.unify(callable, first.shape, shape, scope);
      if (dims === null) return null;
      this.note("grad of a tensor");
      return tree("tensor", `grad(${callable.name})(`, ...this.args(scope, callable, dims), ")");
    }
    const dims = result.length === shape.length ? this.unify(callable, result, shape, scope) : null;
    if (dims === null) return null;
    this.note("jvp");
    return tree(
      "tensor",
      `jvp(${callable.name})(`,
      ...this.args(scope, callable, dims),
      ")(",
      ...this.args(scope, callable, dims),
      ")",
    );
  }

  private tensorFold(scope: Scope, shape: readonly Dim[]): Tree {
    const name = `m${this.counter++}`;
    const long = !this.hasLoop && this.random.chance(0.5);
    this.hasLoop ||= long;
    this.note(long ? "long fold" : "short fold");
    if (scope.indices.length > 0 && long) this.note("long fold under for");
    const count = long ? 66 + this.random.below(6) : 2 + this.random.below(3);
    const turn: IndexVariable = { name: this.indexName(scope), size: String(count), tellsRange: false };
    const init = this.tensor(scope, shape);
    const { names, inner } = this.enter(withTensor(withIndex(scope, turn), name, shape), shape);
    const own = `${name}[${names.join(", ")}]`;
    const form = this.random.below(3);
    const reduced = names.length === 1 ? `0.3 * tanh(sum[e: ${shape[0]}] ${name}[e])` : `0.3 * tanh(${own})`;
    const step = [`0.6 * ${own} + `, `0.4 * ${own} + ${reduced} + `, `sin(${own}) + `][form]!;
    return tree(
      "tensor",
      `(fold ${name} = `,
      init,
      ` for ${turn.name}: ${count} -> for ${names.map((n, i) => `${n}: ${shape[i]}`).join(", ")} -> `,
      step,
      "0.2 * ",
      this.number(inner),
      ")",
    );
  }

  // Calls

  /** The dimensions for which the pattern becomes the shape; dimensions that it does not tell are chosen. */
  private unify(
    callable: Callable,
    pattern: readonly Dim[],
    shape: readonly Dim[],
    scope: Scope,
  ): Map<Dim, Dim> | null {
    if (pattern.length !== shape.length) return null;
    const dims = new Map<Dim, Dim>();
    for (const [i, d] of pattern.entries()) {
      if (dims.has(d) && dims.get(d) !== shape[i]) return null;
      dims.set(d, shape[i]!);
    }
    for (const d of callable.dims) if (!dims.has(d)) dims.set(d, this.random.choose(this.sizes(scope)));
    return dims;
  }

  private instantiations(scope: Scope, callable: Callable, shape: readonly Dim[]): Map<Dim, Dim>[] {
    const dims = this.unify(callable, callable.results[0]!, shape, scope);
    return dims === null ? [] : [dims];
  }

  private args(scope: Scope, callable: Callable, dims: ReadonlyMap<Dim, Dim>): (string | Tree)[] {
    const put = (shape: readonly Dim[]): Dim[] => shape.map((d) => dims.get(d)!);
    const args = callable.params.map((p): Tree => {
      switch (p.kind) {
        case "tensor":
          return this.tensor(scope, put(p.shape));
        case "pair":
          return this.pair(scope, dims.get(p.size)!);
        case "lambda": {
          this.note("lambda");
          const name = `e${this.counter++}`;
          return tree("other", `fn (${name}) -> `, this.number(withTensor(scope, name, [])));
        }
        case "idx":
        case "bool":
          throw new Error("helpers have no such parameters");
      }
    });
    return joined(args, ", ");
  }

  private call(
    scope: Scope,
    callable: Callable,
    shape?: readonly Dim[],
  ): { readonly text: Tree; readonly dims: ReadonlyMap<Dim, Dim> } {
    const dims =
      shape === undefined
        ? new Map(callable.dims.map((d) => [d, this.random.choose(this.sizes(scope))]))
        : this.instantiations(scope, callable, shape)[0]!;
    if (callable.given.length > 0) this.note("dimensions in brackets");
    const brackets =
      callable.given.length === 0 ? "" : `[${callable.given.map((d) => dims.get(d)!).join(", ")}]`;
    return {
      text: tree("other", `${callable.name}${brackets}(`, ...this.args(scope, callable, dims), ")"),
      dims,
    };
  }

  // Numbers

  private number(scope: Scope): Tree {
    this.fuel--;
    if (this.fuel < 0) return this.leaf(scope);
    const kind = this.random.choose([
      "leaf",
      "leaf",
      "arithmetic",
      "arithmetic",
      "arithmetic",
      "function",
      "function",
      "padded",
      "padded",
      "reduce",
      "reduce",
      "reduce",
      "reduce",
      "max",
      "if",
      "if",
      "guarded",
      "block",
      "fold",
      "call",
      "call",
      "count",
      "gather",
      "at-argmax",
      "grad",
      "tree_sum",
      "triangle",
      "lambda",
      "prod",
      "integer",
      "one-hot",
      "element",
      "tuple fold",
      "list fold",
    ] as const);
    const n = (s: Scope = scope): Tree => this.number(s);
    const number = (...parts: (string | Tree)[]): Tree => tree("number", ...parts);
    switch (kind) {
      case "arithmetic":
        this.note("arithmetic");
        return this.random.choose([
          () => number("(", n(), " + ", n(), ")"),
          () => number("(", n(), " - ", n(), ")"),
          () => number("(sin(", n(), ") * ", n(), ")"),
          () => number("(", n(), " * tanh(", n(), "))"),
          () => number("(", n(), " / (1.0 + (", n(), ") ^ 2))"),
          () => number("(tanh(", n(), ") ^ 3)"),
          () => number("((1.5 + sin(", n(), ")) ^ tanh(", n(), "))"),
          () => number("fma(0.3, ", n(), ", ", n(), ")"),
          () => number("(-", n(), ")"),
        ])();
      case "function": {
        this.note("scalar function");
        return this.random.choose([
          () =>
            number(
              this.random.choose([
                "tanh",
                "sigmoid",
                "sin",
                "cos",
                "erf",
                "gelu",
                "silu",
                "softplus",
                "abs",
                "relu",
              ]),
              "(",
              n(),
              ")",
            ),
          () => number("exp(sin(", n(), "))"),
          () => number("expm1(tanh(", n(), "))"),
          () => number("sqrt(0.5 + (", n(), ") ^ 2)"),
          () => number("rsqrt(0.5 + (", n(), ") ^ 2)"),
          () => number("log(1.2 + (", n(), ") ^ 2)"),
          () => number("log1p((", n(), ") ^ 2)"),
          () => number("clamp(", n(), ", -0.8, 0.9)"),
          () => number("tan(0.5 * tanh(", n(), "))"),
          () => number("(floor(", n(), ") * ", n(), ")"),
        ])();
      }
      case "max":
        this.note("max of two");
        return number(this.random.choose(["max", "min"]), "(", n(), ", ", n(), ")");
      case "padded":
        return this.paddedRead(scope) ?? this.leaf(scope);
      case "reduce": {
        const op = this.random.choose(["sum", "sum", "mean", "max", "min"]);
        this.note(op);
        const first = this.reductionIndex(scope);
        const second = this.random.chance(0.3) ? this.reductionIndex(first.inner) : null;
        const body = n(second?.inner ?? first.inner);
        if (second !== null) this.note("reduction of two axes");
        const binder = (v: IndexVariable): string =>
          v.tellsRange && this.random.chance(0.5) ? v.name : `${v.name}: ${v.size}`;
        if (second !== null && second.variable.name === first.variable.name)
          return number(
            `(${op}[${first.variable.name}: ${first.variable.size}] ${op === "mean" ? "mean" : op}[${binder(second.variable)}] `,
            body,
            ")",
          );
        return number(
          `(${op}[${[first, ...(second === null ? [] : [second])].map((r) => binder(r.variable)).join(", ")}] `,
          body,
          ")",
        );
      }
      case "prod": {
        this.note("prod");
        const { variable, inner } = this.reductionIndex(scope);
        return number(`(prod[${variable.name}: ${variable.size}] (0.4 + tanh(`, n(inner), ")))");
      }
      case "triangle": {
        const outer = this.some(scope.indices.filter((v) => !/^\d+$/.test(v.size)));
        if (outer === null) return this.leaf(scope);
        this.note("range that depends on an index");
        const { inner, variables } = this.enter(scope, [outer.size]);
        const [variable] = variables;
        if (variable!.name === outer.name) return this.leaf(scope);
        const [op, range] = this.random.choose([
          ["sum", `0 .. ${outer.name} + 1`],
          ["mean", `0 .. ${outer.name} + 1`],
          ["max", `${outer.name} .. ${outer.size}`],
          ["sum", `${outer.name} + 1 .. ${outer.size}`],
          ["min", `0 .. ${outer.name} + 1`],
        ] as const);
        return number(`(${op}[${variable!.name}: ${range}] `, n(inner), ")");
      }
      case "if":
        this.note("if");
        return number("(if ", this.condition(scope), " then ", n(), " else ", n(), ")");
      case "guarded": {
        const read = this.some(
          scope.indices.flatMap((i) =>
            scope.tensors.filter((t) => t.shape.length === 1 && t.shape[0] === i.size).map((t) => ({ i, t })),
          ),
        );
        if (read === null) return this.leaf(scope);
        this.note("read under a condition");
        const { i, t } = read;
        return this.random.choose([
          () => number(`(if ${i.name} >= 1 then ${t.name}[${i.name} - 1] else `, n(), ")"),
          () => number(`(if ${i.name} + 1 < ${i.size} then ${t.name}[${i.name} + 1] * `, n(), " else 0.0)"),
        ])();
      }
      case "one-hot": {
        const picks = scope.idx.flatMap((g) =>
          this.elementOf(scope, g.name, g.shape).map((at) => ({ at, bound: g.bound })),
        );
        const pick = this.some(picks);
        if (pick === null) return this.leaf(scope);
        this.note("one-hot sum");
        const { inner, variables } = this.enter(scope, [pick.bound]);
        if (pick.at.by.some((i) => i.name === variables[0]!.name)) return this.leaf(scope);
        return number(
          `(sum[${variables[0]!.name}: ${pick.bound}] if ${this.use(pick.at)} == ${variables[0]!.name} then `,
          n(inner),
          " else 0.0)",
        );
      }
      case "block": {
        this.note("block");
        const { statement, scope: inner } = this.statement(scope);
        return number("{\n", statement, "  ", n(inner), "\n}");
      }
      case "fold": {
        this.note("fold of a number");
        const name = `m${this.counter++}`;
        const long = !this.hasLoop && this.random.chance(0.4);
        this.hasLoop ||= long;
        const count = long ? this.random.choose([66, 257]) : 2 + this.random.below(3);
        if (long) this.note(count > 256 ? "long fold of a number" : "unrolled fold of many turns");
        const turn: IndexVariable = { name: this.indexName(scope), size: String(count), tellsRange: false };
        const init = n();
        const inner = withTensor(withIndex(scope, turn), name, []);
        return number(
          `(fold ${name} = `,
          init,
          ` for ${turn.name}: ${count} -> ${this.random.choose([`0.6 * ${name}`, `sin(${name})`, `0.5 * tanh(${name})`])} + 0.2 * `,
          n(inner),
          ")",
        );
      }
      case "tuple fold": {
        this.note("fold of a tuple");
        const [p, q] = [`p${this.counter++}`, `q${this.counter++}`];
        const inner = withTensor(withTensor(scope, p, []), q, []);
        const count = this.random.choose([2, 3, 4]);
        const made = tree(
          "other",
          `let (${p}, ${q}) = fold (${p}, ${q}) = (`,
          n(),
          ", ",
          n(),
          `) for step: ${count} -> (0.5 * ${q} + 0.3 * tanh(`,
          n(inner),
          `), sin(${p}))\n`,
        );
        return number("{\n", made, `  ${p} * ${q} + `, n(inner), "\n}");
      }
      case "list fold": {
        this.note("list fold");
        const name = `m${this.counter++}`;
        const size = this.random.choose(this.sizes(scope));
        const item = `o${this.counter++}`;
        const inner = withPair(withTensor(scope, name, []), item, size);
        return number(
          `(fold ${name} = `,
          n(),
          ` for ${item} in [`,
          this.pair(scope, size),
          ", ",
          this.pair(scope, size),
          `] -> tanh(${name} * ${item}.w) + 0.3 * `,
          n(inner),
          ")",
        );
      }
      case "call": {
        const callable = this.some(
          this.callables.filter((c) => c.results.length === 1 && c.results[0]!.length === 0),
        );
        if (callable === null) return this.leaf(scope);
        this.note("scalar call");
        return number(this.call(scope, callable).text);
      }
      case "element": {
        const size = this.random.choose(this.sizes(scope));
        const at = this.inside(scope, size);
        this.note("element of an expression");
        return number(this.tensor(scope, [size]), `[${at}]`);
      }
      case "grad": {
        const callable = this.some(
          this.callables.filter(
            (c) =>
              c.results.length === 1 &&
              c.results[0]!.length === 0 &&
              c.params.every((p) => p.kind === "tensor" && p.shape.length === 0),
          ),
        );
        if (callable === null) return this.leaf(scope);
        this.note("grad of a number");
        return number(`grad(${callable.name})(`, ...this.args(scope, callable, new Map()), ")");
      }
      case "count": {
        const { variable, inner } = this.reductionIndex(scope);
        this.note("count");
        return number(
          `(0.1 * f32(count[${variable.name}: ${variable.size}] `,
          this.condition(inner),
          ") * ",
          n(),
          ")",
        );
      }
      case "gather":
        return this.gather(scope) ?? this.leaf(scope);
      case "at-argmax": {
        const t = this.some(scope.tensors.filter((x) => x.shape.length === 1));
        if (t === null) return this.leaf(scope);
        this.note("element at argmax");
        const { inner, variables } = this.enter(scope, t.shape);
        const op = this.random.choose(["argmax", "argmin"]);
        return number(`${t.name}[${op}[${variables[0]!.name}: ${t.shape[0]}] `, n(inner), "]");
      }
      case "tree_sum": {
        const pair = this.some(scope.pairs);
        if (pair === null) return this.leaf(scope);
        this.note("tree_sum");
        return number(`tree_sum(fn (e) -> e * tanh(e), ${pair.name})`);
      }
      case "lambda": {
        const lambda = this.some(scope.lambdas);
        if (lambda === null) return this.leaf(scope);
        return number(`${lambda}(`, n(), ")");
      }
      case "integer": {
        const i = this.some(scope.indices);
        if (i === null) return this.leaf(scope);
        this.note("integer to float");
        return number(`(0.1 * f32(${this.integer(scope)}) * `, n(), ")");
      }
      case "leaf":
        return this.leaf(scope);
    }
  }

  private leaf(scope: Scope): Tree {
    const reads = scope.tensors.flatMap((t) => this.elementOf(scope, t.name, t.shape));
    if (reads.length > 0 && this.random.chance(0.85))
      return tree("number", this.use(this.random.choose(reads)));
    const t = this.some(scope.tensors);
    if (t !== null && this.random.chance(0.9)) {
      if (t.shape.length === 0) return tree("number", t.name);
      this.note("read in bounds");
      return tree("number", `${t.name}[${t.shape.map((d) => this.inside(scope, d)).join(", ")}]`);
    }
    return tree("number", this.random.choose(["0.5", "-0.7", "1.25", "0.3"]));
  }

  /** The reads of a tensor at index variables whose ranges are its axes. */
  private elementOf(scope: Scope, name: string, shape: readonly Dim[]): Element[] {
    if (shape.length === 0) return [{ text: name, by: [] }];
    const choices = shape.map((d) => scope.indices.filter((i) => i.size === d));
    if (choices.some((c) => c.length === 0)) return [];
    const by = choices.map((c) => this.random.choose(c));
    return [{ text: `${name}[${by.map((i) => i.name).join(", ")}]`, by }];
  }

  /** The text of an element that is to be read. */
  private use({ text, by }: Element): string {
    for (const i of by) i.tellsRange = true;
    if (new Set(by).size < by.length) this.note("repeated index");
    return text;
  }

  /** An index that is inside an axis of the given size. */
  private inside(scope: Scope, size: Dim): string {
    const own = scope.indices.filter((i) => i.size === size);
    const forms: (() => string)[] = [() => "0", () => `${size} - 1`];
    const i = this.some(own);
    const any = this.some(scope.indices);
    if (i !== null)
      forms.push(
        () => `${size} - 1 - ${i.name}`,
        () => `max(${i.name} - 1, 0)`,
        () => `${i.name} // 2`,
      );
    if (any !== null)
      forms.push(
        () => `${any.name} % (${size})`,
        () => `min(${any.name}, ${size} - 1)`,
        () => `(${any.name} * (${size})) // (${any.size})`,
      );
    const pick = this.some(
      scope.idx.filter((g) => g.bound === size).flatMap((g) => this.elementOf(scope, g.name, g.shape)),
    );
    if (pick !== null)
      forms.push(
        () => this.use(pick),
        () => this.use(pick),
      );
    const t = this.some(scope.tensors.filter((x) => x.shape.length === 0));
    if (t !== null) forms.push(() => `clamp(i32(3.0 * ${t.name}), 0, ${size} - 1)`);
    return this.random.choose(forms)();
  }

  /** A read by data. */
  private gather(scope: Scope): Tree | null {
    const reads = scope.idx.flatMap((g) =>
      this.elementOf(scope, g.name, g.shape).flatMap((at) =>
        scope.tensors.filter((t) => t.shape.includes(g.bound)).map((t) => ({ at, t, bound: g.bound })),
      ),
    );
    const read = this.some(reads);
    if (read === null) return null;
    this.note("gather");
    const axis = read.t.shape.indexOf(read.bound);
    return tree(
      "number",
      `${read.t.name}[${read.t.shape.map((d, n) => (n === axis ? this.use(read.at) : this.inside(scope, d))).join(", ")}]`,
    );
  }

  private paddedRead(scope: Scope): Tree | null {
    const t = this.some(scope.tensors.filter((x) => x.shape.length > 0));
    if (t === null) return null;
    this.note("padded read");
    const pad = this.random.chance(0.6) ? "0.0" : this.leaf(scope);
    return tree("number", `${t.name}[${t.shape.map(() => this.integer(scope)).join(", ")} | `, pad, "]");
  }

  /** An integer of index variables, inside of nothing. */
  private integer(scope: Scope): string {
    const i = this.some(scope.indices)?.name ?? "1";
    const j = this.some(scope.indices)?.name ?? "2";
    const d = this.some(scope.dims) ?? "2";
    return this.random.choose([
      `${i} + 1`,
      `${i} - 1`,
      `2 * ${i} - 1`,
      `${i} // 2`,
      `${i} % 2`,
      `${i} + ${j} - 1`,
      `2 * ${i} + ${j} - 1`,
      `${d} - ${i}`,
      `${i} * ${j}`,
      `(${i} + ${j}) // 2`,
      `3 * ${i} - 2 * ${j}`,
      i,
    ]);
  }

  // Conditions

  private condition(scope: Scope): Tree {
    this.fuel--;
    const condition = (...parts: (string | Tree)[]): Tree => tree("condition", ...parts);
    const kind =
      this.fuel < 0
        ? "compare"
        : this.random.choose([
            "indices",
            "indices",
            "indices",
            "compare",
            "compare",
            "not",
            "and",
            "any",
            "bool",
            "idx",
            "idx",
            "parity",
          ]);
    const i = this.some(scope.indices);
    const j = this.some(scope.indices);
    switch (kind) {
      case "indices":
        if (i !== null && j !== null)
          return condition(
            `${i.name} ${this.random.choose(["==", "<", "<=", "!=", ">"])} ${i === j ? "1" : j.name}`,
          );
        break;
      case "parity":
        if (i !== null) return condition(`(${this.integer(scope)}) % 2 == 0`);
        break;
      case "idx": {
        const g = this.some(scope.idx.flatMap((x) => this.elementOf(scope, x.name, x.shape)));
        if (g !== null && i !== null) return condition(`${this.use(g)} == ${i.name}`);
        break;
      }
      case "bool": {
        const b = this.some(scope.bools.flatMap((x) => this.elementOf(scope, x.name, x.shape)));
        if (b !== null) return condition(this.use(b));
        break;
      }
      case "not":
        return condition("not (", this.condition(scope), ")");
      case "and":
        return condition(
          "(",
          this.condition(scope),
          this.random.choose([" and ", " or "]),
          this.condition(scope),
          ")",
        );
      case "any": {
        const { variable, inner } = this.reductionIndex(scope);
        const op = this.random.choose(["any", "all"]);
        this.note(op);
        return condition(`(${op}[${variable.name}: ${variable.size}] `, this.condition(inner), ")");
      }
    }
    this.note("comparison of floats");
    return condition("(", this.number(scope), this.random.choose([" > ", " < "]), this.number(scope), ")");
  }

  // Choices

  private note(feature: string): void {
    this.features.add(feature);
  }

  private some<T>(of: readonly T[]): T | null {
    return of.length === 0 ? null : this.random.choose(of);
  }
}

function bind(scope: Scope, p: Param): Scope {
  switch (p.kind) {
    case "tensor":
      return withTensor(scope, p.name, p.shape);
    case "idx":
      return withIdx(scope, p.name, p.shape, p.bound);
    case "bool":
      return withBool(scope, p.name, p.shape);
    case "pair":
      return withPair(scope, p.name, p.size);
    case "lambda":
      return withLambda(scope, p.name);
  }
}

function typeText(shape: readonly Dim[]): string {
  return shape.length === 0 ? "f32" : `f32[${shape.join(", ")}]`;
}

function paramText(p: Param): string {
  switch (p.kind) {
    case "tensor":
      return `${p.name}: ${typeText(p.shape)}`;
    case "idx":
      return `${p.name}: idx[${p.bound}]${p.shape.length === 0 ? "" : `[${p.shape.join(", ")}]`}`;
    case "bool":
      return `${p.name}: bool[${p.shape.join(", ")}]`;
    case "pair":
      return `${p.name}: Pair[${p.size}]`;
    case "lambda":
      return `${p.name}: fn(f32) -> f32`;
  }
}
