/**
 * The catalogue's entries for what the text means.
 *
 *     E02xx  types and dimensions      check-*.ts
 *     E03xx  names and declarations    check.ts, declarations.ts
 *     E04xx  calls and derivatives     check-call.ts, check-derivative.ts
 *     E05xx  compiling for given dimensions    elaborate/
 */
import type { CatalogueEntry } from "./catalogue.ts";

export const semanticCatalogue = {
  // Types and dimensions
  E0201: { title: "types do not agree", explanation: "A value has another type than its place wants." },
  E0202: {
    title: "tensors of different rank do not combine",
    explanation:
      "Elementwise operators take two tensors of one shape, or a scalar and a tensor. There is no other broadcasting: which axis " +
      "meets which is written with indices, as in `for i, j -> x[i, j] + b[j]`.",
  },
  E0203: {
    title: "shapes do not agree",
    explanation:
      "An index that stands alone ranges over the axis that it indexes; when it indexes two axes, they must have one size for all dimensions.",
  },
  E0204: {
    title: "the range of an index is not known",
    explanation:
      "An index variable takes its range from a place where it stands alone as an index, from the expected result, or from a written range `i: n`.",
  },
  E0205: {
    title: "operand of the wrong kind",
    explanation:
      "Arithmetic takes numbers, `and`, `or` and `not` take booleans; both work on scalars and elementwise on tensors.",
  },
  E0206: {
    title: "numbers of different types",
    explanation:
      "`f32`, `i32`, `u32` and booleans are never mixed silently; convert with `f32(x)`, `i32(x)` and so on. Dimensions are `i32`.",
  },
  E0207: { title: "a condition is not a boolean", explanation: "`if` chooses by one boolean." },
  E0208: {
    title: "too many indices",
    explanation:
      "A tensor is indexed with at most as many indices as it has axes; with fewer, the rest stays a tensor.",
  },
  E0209: {
    title: "an index is not an integer",
    explanation: "Indices are index variables, values of `idx`, or `i32` arithmetic.",
  },
  E0210: {
    title: "a read leaves the tensor",
    explanation:
      "Whatever the dimensions are, some index lies outside. A padded read, `x[i + 1 | 0.0]`, gives the value after `|` there.",
  },
  E0211: {
    title: "an `idx` for another axis",
    explanation: "A value of `idx[n]` is less than n, so it indexes an axis of size n without any check.",
  },
  E0212: {
    title: "padding of another type",
    explanation: "The value after `|` stands for elements outside the tensor and has their type.",
  },
  E0213: { title: "this can't be indexed", explanation: "Brackets read elements of tensors and of lists." },
  E0214: { title: "no such field", explanation: "The struct has no field of that name." },
  E0215: { title: "this has no fields", explanation: "A field is read from a struct." },
  E0216: {
    title: "a reduction over values of the wrong kind",
    explanation:
      "`sum`, `prod`, `max`, `min`, `argmax` and `argmin` reduce numbers, `mean` floats, `count`, `any` and `all` booleans.",
  },
  E0217: {
    title: "the sides of an `if` differ in type",
    explanation: "An `if` is an expression: both sides give a value of one type.",
  },
  E0218: {
    title: "a fold changes its type",
    explanation: "The body of a fold gives the accumulator's next value, of the same type.",
  },
  E0219: {
    title: "a fold over something that is no list",
    explanation: "`fold a = e for p in list -> …` goes through a list `[T; n]`; `for t: n` counts.",
  },
  E0220: {
    title: "a tuple of another size",
    explanation: "A pattern `(a, b)` takes a tuple of as many parts.",
  },
  E0221: {
    title: "fields are missing",
    explanation: "A struct literal gives every field, unless it takes the others from a value with `...p`.",
  },
  E0222: {
    title: "a field of another type",
    explanation: "The value does not have the field's declared type.",
  },
  E0223: { title: "a field given twice", explanation: "Each field stands once." },
  E0224: {
    title: "no argument fixes a dimension",
    explanation:
      "A dimension variable is found from the arguments' shapes: it must stand alone, or as in `2*n` or `n + 1`, in one of them. Otherwise the caller gives it in brackets.",
  },
  E0225: {
    title: "a division of dimensions that can't be",
    explanation: "`/` is exact, and nothing is divided by 0.",
  },
  E0226: {
    title: "`/` between integers",
    explanation: "Integers divide with `//`, which rounds down; fractions need floats.",
  },
  E0227: {
    title: "a list is indexed by something unknown",
    explanation:
      "Lists are taken apart when compiling: the element's number is a number, a constant or a dimension.",
  },
  E0228: {
    title: "a number that does not fit",
    explanation:
      "`i32` holds -2147483648 … 2147483647, `u32` 0 … 4294967295, `f16` up to 65504, `f32` up to about 3.4e38.",
  },
  E0229: {
    title: "a power that integers don't have",
    explanation: "An integer's power is repeated multiplication, up to 32.",
  },
  E0230: {
    title: "a bound is not an integer",
    explanation: "The bounds of an index variable are dimensions or `i32` expressions.",
  },
  E0231: {
    title: "one index for a position",
    explanation: "`argmax` and `argmin` give one position, so they go over one index.",
  },
  E0232: {
    title: "the body does not give what is declared",
    explanation: "The type of a function's body differs from its declared result.",
  },
  E0233: {
    title: "a dimension stays unknown",
    explanation: "Nothing fixes a dimension that is needed to compile this.",
  },
  E0234: {
    title: "this is not a tree of tensors",
    explanation:
      "`tree_map` and `tree_sum` go through structs, lists and tuples of float tensors; all trees given have one type.",
  },
  E0235: {
    title: "a leaf's axes are not known",
    explanation:
      "In `tree_map` and `tree_sum` a function is given tensors of any rank, so it works elementwise.",
  },
  E0238: {
    title: "this can't be the value at an index",
    explanation: "`for` collects scalars, tensors, or tuples of them.",
  },
  E0239: {
    title: "a scalar or a tensor is needed",
    explanation: "Scalar functions work on scalars and, elementwise, on tensors.",
  },
  E0240: { title: "a list of different types", explanation: "All elements of a list have one type." },
  E0242: {
    title: "an axis whose size changes",
    explanation:
      "A tensor's axes have the same size everywhere; only a reduction may have bounds that depend on outer indices.",
  },
  E0243: { title: "past the end of a list", explanation: "A list `[T; n]` has the elements 0 … n-1." },
  E0244: { title: "a fold of unknown length", explanation: "The number of turns is known when compiling." },
  E0245: {
    title: "not a function of a leaf",
    explanation:
      "The function given to `tree_map` or `tree_sum` gives a float tensor of the leaf's shape, or a float.",
  },
  E0246: {
    title: "a range that ends before it begins",
    explanation: "In `lo .. hi` the upper bound is excluded and is at least the lower one.",
  },
  E0247: {
    title: "a dimension that is too large",
    explanation: "A size is a polynomial of at most 1000 terms, with coefficients below 2^53.",
  },

  // Names and declarations
  E0301: {
    title: "unknown name",
    explanation:
      "A name is a parameter, a `let`, an index, a dimension, a declaration of this file, or something brought in with `use`.",
  },
  E0302: {
    title: "unknown type",
    explanation: "A type is a scalar, a struct, or an upper-case type parameter.",
  },
  E0303: {
    title: "declared twice",
    explanation: "A name stands for one thing in a file. Only names of the prelude may be declared anew.",
  },
  E0304: {
    title: "no such module",
    explanation:
      "`use name.{…}` takes from the standard library, `use ./name.{…}` from a file beside this one.",
  },
  E0305: {
    title: "the module does not declare this",
    explanation: "Only what a file declares itself can be used by others.",
  },
  E0306: {
    title: "files use each other in a circle",
    explanation: "A file is understood after those that it uses.",
  },
  E0307: {
    title: "one name for two things",
    explanation:
      "The parameters of a function or struct, and the names of one pattern, differ. `_` is for what is not needed.",
  },
  E0308: {
    title: "the wrong number of arguments to a type",
    explanation: "A struct is named with all its parameters.",
  },
  E0309: {
    title: "unknown dimension",
    explanation:
      "A dimension in a result or a field must be a parameter, a constant, or come from the arguments.",
  },
  E0310: {
    title: "functions call each other in a circle",
    explanation: "There is no recursion: calls are inlined.",
  },
  E0311: { title: "a struct contains itself", explanation: "Its size would be endless." },
  E0312: { title: "unknown distribution", explanation: "After `~` stands how `init` draws a field." },
  E0313: {
    title: "the wrong number of arguments to a distribution",
    explanation: "Each distribution takes its own numbers.",
  },
  E0314: { title: "this field is not drawn", explanation: "A distribution is for a tensor of floats." },
  E0315: { title: "not a constant", explanation: "A constant is a number known when compiling." },
  E0318: {
    title: "a type where a dimension belongs, or the reverse",
    explanation: "Lower-case parameters are dimensions, upper-case ones types.",
  },
  E0320: { title: "an index named twice", explanation: "The indices of one form have different names." },
  E0321: { title: "a dimension is not a whole number", explanation: "Dimensions are natural numbers." },
  E0322: {
    title: "a struct is not a value",
    explanation: "A struct is a type; its values are written with braces.",
  },

  // Calls and derivatives
  E0401: { title: "this is not a function", explanation: "Only functions are called." },
  E0402: { title: "the wrong number of arguments", explanation: "There are no default arguments." },
  E0403: {
    title: "an argument does not fit",
    explanation: "The argument's type differs from the parameter's.",
  },
  E0404: {
    title: "dimensions in brackets are missing or too many",
    explanation: "Dimensions that no argument fixes are given in brackets: `adaptive_avg_pool[2, 2](x)`.",
  },
  E0405: {
    title: "a function is not a value",
    explanation:
      "Functions are called and given as arguments; they are not kept in tensors, structs or results.",
  },
  E0406: {
    title: "only a scalar has a gradient",
    explanation:
      "`grad` and `value_and_grad` need a function that gives a float, or a tuple whose first part is one.",
  },
  E0407: {
    title: "nothing to differentiate with respect to",
    explanation: "Integers and booleans carry no gradient.",
  },
  E0409: {
    title: "a derivative with other parameters",
    explanation:
      "A custom `vjp` names the function's parameters, then a cotangent for each floating part of the result.",
  },
  E0411: {
    title: "an anonymous function with other parameters",
    explanation: "It is called with as many arguments as it has parameters.",
  },
  E0412: {
    title: "a function called with two types",
    explanation:
      "An anonymous function, or one named with `let`, takes the types of its first call. A function declared with `fn` takes new ones at every call.",
  },
  E0413: {
    title: "a scalar function can't take this",
    explanation: "Each scalar function is for floats, for integers, or for both.",
  },
  E0414: {
    title: "a function is needed here",
    explanation: "The first argument is a function: its name, or `fn (x) -> …`.",
  },
  E0415: { title: "a dimension in brackets is not known", explanation: "It must be known when compiling." },

  // Compiling for given dimensions
  E0501: {
    title: "a dimension is not given",
    explanation: "Compiling needs a number for every dimension that the arguments don't fix.",
  },
  E0502: {
    title: "shapes do not agree for these dimensions",
    explanation: "Two dimensions that could not be compared for all values differ for the ones given.",
  },
  E0503: {
    title: "a read may leave the tensor",
    explanation:
      "For the dimensions given, an index could not be shown to stay inside. Read with padding, or guard the read with `if`.",
  },
  E0504: {
    title: "a division of dimensions is not exact",
    explanation: "`/` between dimensions is exact; `//` rounds down.",
  },
  E0505: { title: "a dimension is negative", explanation: "Dimensions are natural numbers." },
  E0506: {
    title: "an argument of another shape",
    explanation: "The shapes given do not fit the function's parameters.",
  },
  E0507: {
    title: "a tree with other leaves than floats",
    explanation: "`tree_map` and `tree_sum` go over float tensors only.",
  },
  E0508: {
    title: "past the end of a list, for these dimensions",
    explanation: "A list `[T; n]` has the elements 0 … n-1.",
  },
  E0509: {
    title: "a position in an empty range",
    explanation: "`argmax` and `argmin` need at least one candidate.",
  },
  E0510: {
    title: "the program becomes too large",
    explanation: "Calls and short folds are written out; this one has too many parts.",
  },
  E0511: { title: "no such function", explanation: "The file declares no function of that name." },
  E0512: {
    title: "this function can't be compiled by itself",
    explanation: "A function that takes a function, or a value of any type, is compiled where it is called.",
  },
  E0513: {
    title: "an index value outside its range",
    explanation: "A number given as `idx[n]` must be at least 0 and less than n.",
  },
} as const satisfies Record<string, CatalogueEntry>;
