/**
 * Identifiers of WGSL for the names of a kernel: as near to them as its grammar allows, and no two alike.
 *
 *     stage.0/x → stage_0_x      var → var_      α → v
 */

/** https://www.w3.org/TR/WGSL/#keyword-summary, #reserved-words */
const reserved = `
alias break case const const_assert continue continuing default diagnostic discard else enable false fn for if let loop
override requires return struct switch true var while

NULL Self abstract active alignas alignof as asm asm_fragment async attribute auto await become cast catch class co_await
co_return co_yield coherent column_major common compile compile_fragment concept const_cast consteval constexpr constinit
crate debugger decltype delete demote demote_to_helper do dynamic_cast enum explicit export extends extern external
fallthrough filter final finally friend from fxgroup get goto groupshared highp impl implements import inline instanceof
interface layout lowp macro macro_rules match mediump meta mod module move mut mutable namespace new nil noexcept noinline
nointerpolation non_coherent noncoherent noperspective null nullptr of operator package packoffset partial pass patch
pixelfragment precise precision premerge priv protected pub public readonly ref regardless register reinterpret_cast require
resource restrict self set shared sizeof smooth snorm static static_assert static_cast std subroutine super target template
this thread_local throw trait try type typedef typeid typename typeof union unless unorm unsafe unsized use using varying
virtual volatile wgsl where with writeonly yield
`;

/** What WGSL declares for everyone: a program's name may hide it, but then the printed text could not use it. */
const predeclared = `
array atomic bool f16 f32 i32 u32 vec2 vec3 vec4 vec4u vec3u mat2x2 mat3x3 mat4x4 ptr sampler
storage uniform workgroup private function read write read_write
abs bitcast ceil clamp cos exp floor fma inverseSqrt log max min round select sign sin sqrt storageBarrier workgroupBarrier
`;

const taken = new Set(`${reserved} ${predeclared}`.split(/\s+/));

/** Identifiers given so far. */
export interface Names {
  /** The identifier of a name; the same for the same `kind` and name, and never another's. */
  readonly of: (kind: "array" | "local", name: string) => string;
  /** An identifier that nothing else has. */
  readonly fresh: (name: string) => string;
  /** An identifier for a value that the program does not name: t0, t1, … */
  readonly temporary: () => string;
}

/** No names yet, but those that the printed text needs itself. */
export function wgslNames(own: readonly string[]): Names {
  const used = new Set(own);
  const given = new Map<string, string>();
  let temporaries = 0;
  const fresh = (name: string): string => {
    const stem = sanitised(name);
    let identifier = stem;
    for (let n = 2; used.has(identifier); n++) identifier = `${stem}_${n}`;
    used.add(identifier);
    return identifier;
  };
  return {
    of: (kind, name) => {
      const key = `${kind} ${name}`;
      const known = given.get(key);
      if (known !== undefined) return known;
      const identifier = fresh(name);
      given.set(key, identifier);
      return identifier;
    },
    fresh,
    temporary: () => fresh(`t${temporaries++}`),
  };
}

/** A legal identifier, perhaps not unique. `fecit_…` is kept for functions, and two leading underscores for WGSL. */
function sanitised(name: string): string {
  const letters = name.replace(/\W+/g, "_").replace(/^_+|_+$/g, "");
  if (letters === "") return "v";
  if (/^\d/.test(letters) || letters.startsWith("fecit_")) return `v_${letters}`;
  return taken.has(letters) ? `${letters}_` : letters;
}
