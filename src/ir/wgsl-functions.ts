/**
 * Functions in WGSL that the texts of the scalar table call: what WGSL lacks, leaves open, or promises with too large an error.
 *
 *     erf    "fecit_erf(x)"    // and its text, once, in a shader that says so
 *
 * WGSL's `exp` is taken as it is (3 + 2|x| units in the last place); `log` near 1, `sin` and `tanh` are promised to 2^-21, 2^-11 and
 * 1e-5 only, so they are computed here. Subnormal numbers may be zero. NaN and the infinities come out of bits that a
 * compiler does not see as a constant, because a constant expression of WGSL must be finite.
 */

/** Their texts, by name; each may call others. */
export const wgslFunctions: Readonly<Record<string, string>> = {
  fecit_infinity: `
fn fecit_infinity() -> f32 {
  var bits = 0x7f800000u;
  return bitcast<f32>(bits);
}`,

  fecit_nan: `
fn fecit_nan() -> f32 {
  var bits = 0x7fc00000u;
  return bitcast<f32>(bits);
}`,

  fecit_negative_zero: `
fn fecit_negative_zero() -> f32 {
  var bits = 0x80000000u;
  return bitcast<f32>(bits);
}`,

  // Drivers take x != x to be false.
  fecit_isnan: `
fn fecit_isnan(x: f32) -> bool {
  return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u;
}`,

  // NaN spreads, where WGSL's own may lose it.
  fecit_min: `
fn fecit_min(a: f32, b: f32) -> f32 {
  return select(b, a, (a <= b) | fecit_isnan(a));
}`,

  fecit_max: `
fn fecit_max(a: f32, b: f32) -> f32 {
  return select(b, a, (a >= b) | fecit_isnan(a));
}`,

  // 0 and NaN are their own signs.
  fecit_sign: `
fn fecit_sign(x: f32) -> f32 {
  return select(select(x, -1.0, x < 0.0), 1.0, x > 0.0);
}`,

  fecit_floor_div_i32: `
fn fecit_floor_div_i32(a: i32, b: i32) -> i32 {
  if (b == 0) { return 0; }
  let rest = a % b;
  return a / b - select(0, 1, rest != 0 && (rest < 0) != (b < 0));
}`,

  fecit_mod_i32: `
fn fecit_mod_i32(a: i32, b: i32) -> i32 {
  if (b == 0) { return 0; }
  let rest = a % b;
  return rest + select(0, b, rest != 0 && (rest < 0) != (b < 0));
}`,

  fecit_floor_div_u32: `
fn fecit_floor_div_u32(a: u32, b: u32) -> u32 {
  if (b == 0u) { return 0u; }
  return a / b;
}`,

  fecit_mod_u32: `
fn fecit_mod_u32(a: u32, b: u32) -> u32 {
  if (b == 0u) { return 0u; }
  return a % b;
}`,

  // Long division in base 2: every subtraction is exact, so the remainder is.
  fecit_mod_f32: `
fn fecit_mod_f32(a: f32, b: f32) -> f32 {
  if (abs(b) < 1.1754944e-38 || abs(a) > 3.4028234e38 || fecit_isnan(a) || fecit_isnan(b)) {
    return fecit_nan();
  }
  var rest = abs(a);
  let size = abs(b);
  let first = i32(bitcast<u32>(rest) >> 23u) - i32(bitcast<u32>(size) >> 23u);
  for (var shift = first; shift >= 0; shift -= 1) {
    let multiple = bitcast<f32>(bitcast<u32>(size) + (u32(shift) << 23u));
    rest -= select(0.0, multiple, rest >= multiple);
  }
  rest = select(rest, -rest, a < 0.0);
  return select(rest, rest + b, rest != 0.0 && (rest < 0.0) != (b < 0.0));
}`,

  // The nearest integer to an almost whole quotient: division alone may end on the wrong side of it.
  fecit_floor_div_f32: `
fn fecit_floor_div_f32(a: f32, b: f32) -> f32 {
  let quotient = a / b;
  if (b == 0.0 || abs(b) > 3.4028234e38 || abs(quotient) > 3.4028234e38 || fecit_isnan(quotient)) {
    return floor(quotient);
  }
  return round((a - fecit_mod_f32(a, b)) / b);
}`,

  // A driver gives e^NaN = ∞, which would hide a diverging program.
  fecit_exp: `
fn fecit_exp(x: f32) -> f32 {
  return select(exp(x), x, fecit_isnan(x));
}`,

  // WGSL's pow is NaN for every negative base and far off for bases near 1. The cases are those of JavaScript's Math.pow.
  fecit_pow: `
fn fecit_pow(a: f32, b: f32) -> f32 {
  if (b == 0.0) { return 1.0; }
  if (fecit_isnan(a) || fecit_isnan(b)) { return fecit_nan(); }
  let half = floor(b * 0.5);
  let is_odd = b - half - half == 1.0;
  let is_negative = (bitcast<u32>(a) >> 31u) == 1u;
  if (a < 0.0 && a >= -3.4028234e38 && b != floor(b)) { return fecit_nan(); }
  var size = fecit_exp(b * fecit_log(abs(a)));
  if (a == 0.0) { size = select(0.0, fecit_infinity(), b < 0.0); }
  if (abs(a) == 1.0) { size = select(1.0, fecit_nan(), abs(b) > 3.4028234e38); }
  return select(size, -size, is_negative && is_odd);
}`,

  // 2 atanh(s) with s = x / (2 + x) (Abramowitz & Stegun 4.1.27), to the term s^9.
  fecit_log1p: `
fn fecit_log1p(x: f32) -> f32 {
  if (x < -0.29 || x > 0.42) { return fecit_log_away_from_one(1.0 + x); }
  let s = x / (2.0 + x);
  let z = s * s;
  return 2.0 * s * (1.0 + z * (0.33333333 + z * (0.2 + z * (0.14285714 + z * 0.11111111))));
}`,

  fecit_log: `
fn fecit_log(x: f32) -> f32 {
  if (x > 0.71 && x < 1.42) { return fecit_log1p(x - 1.0); }
  return fecit_log_away_from_one(x);
}`,

  // Outside its domain WGSL's log may give anything.
  fecit_log_away_from_one: `
fn fecit_log_away_from_one(x: f32) -> f32 {
  if (x == 0.0) { return -fecit_infinity(); }
  if (x < 0.0) { return fecit_nan(); }
  return select(log(x), x, x > 3.4028234e38 || fecit_isnan(x));
}`,

  // Below 0.7 the Taylor polynomial of degree 9, whose error is 8e-9 there.
  fecit_expm1: `
fn fecit_expm1(x: f32) -> f32 {
  if (abs(x) > 0.7) { return fecit_exp(x) - 1.0; }
  let rest = 0.0013888889 + x * (0.0001984127 + x * (0.000024801587 + x * 0.0000027557319));
  return x * (1.0 + x * (0.5 + x * (0.16666667 + x * (0.041666667 + x * (0.0083333333 + x * rest)))));
}`,

  // -e / (2 + e) with e = expm1(-2|x|): nothing overflows.
  fecit_tanh: `
fn fecit_tanh(x: f32) -> f32 {
  let e = fecit_expm1(-2.0 * abs(x));
  let size = -e / (2.0 + e);
  return select(size, -size, x < 0.0);
}`,

  fecit_sigmoid: `
fn fecit_sigmoid(x: f32) -> f32 {
  let e = fecit_exp(-abs(x));
  return select(e, 1.0, x >= 0.0) / (1.0 + e);
}`,

  // x P(x²) / Q(x²), fitted to the smallest relative error on |x| ≤ 3.6 (5e-9; 4e-7 once rounded), where erf is 1 to 4e-7. Without a
  // branch: vector machines would run both sides of it.
  fecit_erf: `
fn fecit_erf(x: f32) -> f32 {
  let z = x * x;
  let p = 1.1283792 + z * (0.18086269 + z * (0.051817335 + z * (0.0034326059 + z * (0.00029158377 + z * 0.0000023260083))));
  let q = 1.0 + z * (0.49361856 + z * (0.11046228 + z * (0.014308741 + z * (0.0011068616 + z * 0.000041253886))));
  return select(x * p / q, select(-1.0, 1.0, x > 0.0), abs(x) > 3.6);
}`,

  // Beyond 30000 the device's own.
  // r = x - n π/2 with π/2 in three parts whose products with n are exact below 8000, then Taylor polynomials in |r| ≤ π/4; shifted by `quarters` π/2.
  fecit_sine: `
fn fecit_sine(x: f32, quarters: i32) -> f32 {
  if (abs(x) > 3.4028234e38) { return fecit_nan(); }
  if (abs(x) > 30000.0) { return select(sin(x), cos(x), quarters == 1); }
  let n = round(x * 0.63661977);
  let r = ((x - n * 1.5703125) - n * 0.0004837513) - n * 0.0000000754979;
  let z = r * r;
  let sine = r + r * z * (-0.16666667 + z * (0.0083333333 + z * (-0.0001984127 + z * 0.0000027557319)));
  let cosine = 1.0 + z * (-0.5 + z * (0.041666667 + z * (-0.0013888889 + z * 0.000024801587)));
  let turn = i32(n) + quarters;
  let value = select(sine, cosine, (turn & 1) == 1);
  return select(value, -value, (turn & 2) == 2);
}`,

  fecit_sin: `
fn fecit_sin(x: f32) -> f32 {
  return fecit_sine(x, 0);
}`,

  fecit_cos: `
fn fecit_cos(x: f32) -> f32 {
  return fecit_sine(x, 1);
}`,

  fecit_tan: `
fn fecit_tan(x: f32) -> f32 {
  return fecit_sine(x, 0) / fecit_sine(x, 1);
}`,

  // The upper half of a product of 16-bit halves.
  fecit_mul_high: `
fn fecit_mul_high(a: u32, b: u32) -> u32 {
  let low_a = a & 0xffffu;
  let high_a = a >> 16u;
  let low_b = b & 0xffffu;
  let high_b = b >> 16u;
  let middle = high_a * low_b + ((low_a * low_b) >> 16u);
  let low = low_a * high_b + (middle & 0xffffu);
  return high_a * high_b + (middle >> 16u) + (low >> 16u);
}`,

  // In two exact halves: a driver is off by one unit in the last place.
  fecit_u32_to_f32: `
fn fecit_u32_to_f32(x: u32) -> f32 {
  return f32(x >> 16u) * 65536.0 + f32(x & 0xffffu);
}`,

  // Conversions saturate, and NaN gives 0.
  fecit_f32_to_i32: `
fn fecit_f32_to_i32(x: f32) -> i32 {
  if (fecit_isnan(x)) { return 0; }
  return select(i32(clamp(x, -2147483648.0, 2147483520.0)), 2147483647, x >= 2147483648.0);
}`,

  fecit_f32_to_u32: `
fn fecit_f32_to_u32(x: f32) -> u32 {
  if (fecit_isnan(x)) { return 0u; }
  return select(u32(clamp(x, 0.0, 4294967040.0)), 4294967295u, x >= 4294967296.0);
}`,
};

/** The texts of all functions of the table that a text calls, directly or through one another, in the table's order. */
export function wgslFunctionsOf(text: string): readonly string[] {
  const called = new Set<string>();
  const visit = (code: string): void => {
    for (const [name] of code.matchAll(/\bfecit_\w+(?=\()/g)) {
      const definition = wgslFunctions[name];
      if (definition === undefined || called.has(name)) continue;
      called.add(name);
      visit(definition);
    }
  };
  visit(text);
  return Object.keys(wgslFunctions)
    .filter((name) => called.has(name))
    .map((name) => wgslFunctions[name]!.trim());
}
