/** The models by the names of their files, without `.fec`. Generated from the .fec files here by `npm run std`; edit those. */
export const modelSources: Readonly<Record<string, string>> = {
  cluster: `# Clustering of points around centers, of one image and one head: the op of FEC ("Neural Clustering based Visual
# Representation Learning", Chen, Li, Yang, Wang, CVPR 2024; arXiv 2403.17409). n points and o centers have two vectors
# each: one of d numbers that says what is alike, f, and one of e numbers that is gathered and given back, v.

## The scalar product.
fn dot(x: f32[d], y: f32[d]) -> f32 = sum[k] x[k] * y[k]

## The length of a vector, at least 1e-12.
fn length(x: f32[d]) -> f32 = max(sqrt(dot(x, x)), 1e-12)

## The cosine of the angle between two vectors; 0 if one of them is zero.
fn cosine(x: f32[d], y: f32[d]) -> f32 = dot(x, y) / (length(x) * length(y))

## Each cluster's representative: the mean of its members' values and of its center's. A cluster without members keeps
## its center's value.
##
##     g_m = (v̄_m + Σ_{a(n) = m} v_n) / (1 + |{n : a(n) = m}|)
fn aggregate(v: f32[n, e], center: f32[o, e], a: idx[o][n]) -> f32[o, e] {
  let size[m] = count[n] a[n] == m
  for m, k -> (center[m, k] + sum[n] if a[n] == m then v[n, k] else 0.0) / (1.0 + f32(size[m]))
}

## How alike points and centers are, from 0 to 1: s_nm = σ(α cos(f_n, f̄_m) + β).
fn similarity(f: f32[n, d], center: f32[o, d], alpha: f32, beta: f32) -> f32[n, o] =
  for n, m -> sigmoid(alpha * cosine(f[n], center[m]) + beta)

## Every point's center, the first of the most similar ones: a(n) = argmax_m s_nm. It is chosen *after* the sigmoid, so for
## α < 0 a point joins the center that it resembles least.
fn assign(s: f32[n, o]) -> idx[o][n] = for n -> argmax[m] s[n, m]

## The center of the largest cosine.
fn assign_by_cosine(f: f32[n, d], center: f32[o, d]) -> idx[o][n] = for n -> argmax[m] cosine(f[n], center[m])

## Points exchange what they have by way of their cluster's representative, as the released models do it:
##
##     y_n = s_{n, a(n)} g_{a(n)}
fn cluster(f: f32[n, d], v: f32[n, e], center_f: f32[o, d], center_v: f32[o, e], alpha: f32, beta: f32) -> f32[n, e] {
  let s = similarity(f, center_f, alpha, beta)
  let a = assign(s)
  let g = aggregate(v, center_v, a)
  for n, k -> s[n, a[n]] * g[a[n], k]
}

## The same as in the paper's Algorithm S1: a point's cluster is that of the largest cosine, and every representative
## gives to every point.
##
##     y_n = Σ_m s_nm g_m
fn cluster_seed(f: f32[n, d], v: f32[n, e], center_f: f32[o, d], center_v: f32[o, e], alpha: f32, beta: f32) -> f32[n, e] {
  let s = similarity(f, center_f, alpha, beta)
  let g = aggregate(v, center_v, assign_by_cosine(f, center_f))
  for n, k -> sum[m] s[n, m] * g[m, k]
}
`,
  clusters: `# The clusters of one image at every layer of a model, to look at: which center each point chooses, in every head of every
# block, and in every pooling.
#
#     image ─ stem ─ stage 1 ─ pooling ─ stage 2 ─ …        stage: [block, head, point]      pooling: [point]
use ./fec.{FecBase, FecLarge, FecMicro, FecMini, FecSmall}
use ./layers.{Block, Pooling, block, mixer_assignment, pooling, pooling_assignment, stem}
use conv.{Conv2d}
use norm.{group_norm}

## A stage without dropped branches, and the centers that the points choose on the way.
fn stage_clusters[grid](
  blocks: [Block[c, heads, size, ratio]; t],
  x: f32[c, h, w]
) -> (f32[c, h, w], idx[grid * grid][t, heads, h * w]) {
  let none = for k: t, e: heads, n: h * w -> argmax[m: grid * grid] 0.0
  let (y, chosen, _end) = fold (y, chosen, at) = (x, none, 0) for p in blocks -> {
    let own = mixer_assignment[grid](p.mixer, group_norm[1](p.norm1, y))
    (
      block[grid](p, y, 1.0, 1.0),
      for k, e, n -> if k == at then own[e, n] else chosen[k, e, n],
      at + 1
    )
  }
  (y, chosen)
}

## The clusters of the stages and poolings of a network of four stages, in order.
fn network_clusters[g1, g2, g3, g4](
  patches: Conv2d[5, c1, 4, 4],
  stage1: [Block[c1, e1, d1, r1]; t1],
  pool1: Pooling[c1, c2],
  stage2: [Block[c2, e2, d2, r2]; t2],
  pool2: Pooling[c2, c3],
  stage3: [Block[c3, e3, d3, r3]; t3],
  pool3: Pooling[c3, c4],
  stage4: [Block[c4, e4, d4, r4]; t4],
  x: f32[3, h, w]
) {
  let (x1, a1) = stage_clusters[g1](stage1, stem(patches, x))
  let (x2, a2) = stage_clusters[g2](stage2, pooling(pool1, x1))
  let (x3, a3) = stage_clusters[g3](stage3, pooling(pool2, x2))
  let (_x4, a4) = stage_clusters[g4](stage4, pooling(pool3, x3))
  (
    a1,
    pooling_assignment(pool1, x1),
    a2,
    pooling_assignment(pool2, x2),
    a3,
    pooling_assignment(pool3, x3),
    a4
  )
}

fn fec_small_clusters(p: FecSmall, x: f32[3, h, w]) = network_clusters[4, 4, 2, 2](
  p.stem,
  p.stage1,
  p.pool1,
  p.stage2,
  p.pool2,
  p.stage3,
  p.pool3,
  p.stage4,
  x
)

fn fec_base_clusters(p: FecBase, x: f32[3, h, w]) = network_clusters[4, 4, 2, 2](
  p.stem,
  p.stage1,
  p.pool1,
  p.stage2,
  p.pool2,
  p.stage3,
  p.pool3,
  p.stage4,
  x
)

fn fec_large_clusters(p: FecLarge, x: f32[3, h, w]) = network_clusters[4, 4, 2, 2](
  p.stem,
  p.stage1,
  p.pool1,
  p.stage2,
  p.pool2,
  p.stage3,
  p.pool3,
  p.stage4,
  x
)

fn fec_micro_clusters(p: FecMicro, x: f32[3, h, w]) = network_clusters[4, 4, 2, 2](
  p.stem,
  p.stage1,
  p.pool1,
  p.stage2,
  p.pool2,
  p.stage3,
  p.pool3,
  p.stage4,
  x
)

fn fec_mini_clusters(p: FecMini, x: f32[3, h, w]) {
  let (x1, a1) = stage_clusters[4](p.stage1, stem(p.stem, x))
  let (x2, a2) = stage_clusters[2](p.stage2, pooling(p.pool1, x1))
  let (_x3, a3) = stage_clusters[2](p.stage3, pooling(p.pool2, x2))
  (a1, pooling_assignment(p.pool1, x1), a2, pooling_assignment(p.pool2, x2), a3)
}
`,
  fec: `# FEC, a vision backbone that takes an image for a set of points and represents it by clusters ("Neural Clustering based
# Visual Representation Learning", Chen, Li, Yang, Wang, CVPR 2024; arXiv 2403.17409), as the released models compute it.
#
#     image ─ stem ─ stage 1 ─ pooling ─ stage 2 ─ pooling ─ stage 3 ─ pooling ─ stage 4 ─ norm, mean, linear ─ logits
#     224²           56²                 28²                 14²                 7²
#
# The sides of an image are multiples of 32. Its colors have been brought to mean 0 and deviation 1.
use ./layers.{Block, Pooling, pooling, stage, stem}
use conv.{Conv2d}
use dropout.{keep_factor}
use nn.{Linear, linear}
use norm.{GroupNorm, group_norm}
use pool.{global_avg_pool}

## The whole of one image, put together from its parts. The mixers of stage s have g_s × g_s centers. \`keep(t)\` is the factor
## of residual branch t.
fn network[g1, g2, g3, g4](
    patches: Conv2d[5, c1, 4, 4],
    stage1: [Block[c1, e1, d1, r1]; t1], pool1: Pooling[c1, c2],
    stage2: [Block[c2, e2, d2, r2]; t2], pool2: Pooling[c2, c3],
    stage3: [Block[c3, e3, d3, r3]; t3], pool3: Pooling[c3, c4],
    stage4: [Block[c4, e4, d4, r4]; t4],
    norm: GroupNorm[c4], head: Linear[c4, classes],
    x: f32[3, h, w], keep: fn(i32) -> f32) -> f32[classes] {
  let x1 = stage[g1](stage1, stem(patches, x), 0, keep)
  let x2 = stage[g2](stage2, pooling(pool1, x1), t1, keep)
  let x3 = stage[g3](stage3, pooling(pool2, x2), t1 + t2, keep)
  let x4 = stage[g4](stage4, pooling(pool3, x3), t1 + t2 + t3, keep)
  linear(head, global_avg_pool(group_norm[1](norm, x4)))
}

## No branch is dropped.
fn keep_all(branch: i32) -> f32 = 1.0

## Stochastic depth: a branch of block t of \`blocks\` is dropped with probability \`rate\` t / (blocks - 1).
fn keep_some(branch: i32, blocks: i32, rate: f32, k: key) -> f32 =
  keep_factor(rate * f32(branch // 2) / f32(blocks - 1), split(k, branch))

## 5.7 million parameters, 1.4 GMAC at 224²: 72.7 % of ImageNet-1K.
struct FecSmall {
  @name("patch_embed.proj") stem: Conv2d[5, 32, 4, 4]
  @name("network.0") stage1: [Block[32, 4, 24, 8]; 3]
  @name("network.1") pool1: Pooling[32, 64]
  @name("network.2") stage2: [Block[64, 4, 24, 8]; 4]
  @name("network.3") pool2: Pooling[64, 196]
  @name("network.4") stage3: [Block[196, 8, 24, 4]; 5]
  @name("network.5") pool3: Pooling[196, 320]
  @name("network.6") stage4: [Block[320, 8, 24, 4]; 2]
  norm: GroupNorm[320]
  head: Linear[320, 1000]
}

## The logits of a batch.
fn fec_small(p: FecSmall, x: f32[b, 3, h, w]) -> f32[b, 1000] = for i -> small(p, x[i], keep_all)

## The same in training, with stochastic depth: every image drops branches of its own.
fn fec_small_training(p: FecSmall, x: f32[b, 3, h, w], rate: f32, k: key) -> f32[b, 1000] =
  for i -> small(p, x[i], fn (branch) -> keep_some(branch, 14, rate, split(k, i)))

fn small(p: FecSmall, x: f32[3, h, w], keep: fn(i32) -> f32) -> f32[1000] =
  network[4, 4, 2, 2](p.stem, p.stage1, p.pool1, p.stage2, p.pool2, p.stage3, p.pool3, p.stage4, p.norm, p.head, x, keep)

## 15.1 million parameters, 3.3 GMAC at 224²: 78.1 % of ImageNet-1K.
struct FecBase {
  @name("patch_embed.proj") stem: Conv2d[5, 64, 4, 4]
  @name("network.0") stage1: [Block[64, 4, 32, 8]; 2]
  @name("network.1") pool1: Pooling[64, 128]
  @name("network.2") stage2: [Block[128, 4, 32, 8]; 2]
  @name("network.3") pool2: Pooling[128, 320]
  @name("network.4") stage3: [Block[320, 8, 32, 4]; 6]
  @name("network.5") pool3: Pooling[320, 512]
  @name("network.6") stage4: [Block[512, 8, 32, 4]; 2]
  norm: GroupNorm[512]
  head: Linear[512, 1000]
}

## The logits of a batch.
fn fec_base(p: FecBase, x: f32[b, 3, h, w]) -> f32[b, 1000] = for i -> base(p, x[i], keep_all)

## The same in training, with stochastic depth: every image drops branches of its own.
fn fec_base_training(p: FecBase, x: f32[b, 3, h, w], rate: f32, k: key) -> f32[b, 1000] =
  for i -> base(p, x[i], fn (branch) -> keep_some(branch, 12, rate, split(k, i)))

fn base(p: FecBase, x: f32[3, h, w], keep: fn(i32) -> f32) -> f32[1000] =
  network[4, 4, 2, 2](p.stem, p.stage1, p.pool1, p.stage2, p.pool2, p.stage3, p.pool3, p.stage4, p.norm, p.head, x, keep)

## 29.7 million parameters, 6.5 GMAC at 224²: 81.2 % of ImageNet-1K.
struct FecLarge {
  @name("patch_embed.proj") stem: Conv2d[5, 64, 4, 4]
  @name("network.0") stage1: [Block[64, 6, 32, 8]; 4]
  @name("network.1") pool1: Pooling[64, 128]
  @name("network.2") stage2: [Block[128, 6, 32, 8]; 4]
  @name("network.3") pool2: Pooling[128, 320]
  @name("network.4") stage3: [Block[320, 12, 32, 4]; 12]
  @name("network.5") pool3: Pooling[320, 512]
  @name("network.6") stage4: [Block[512, 12, 32, 4]; 4]
  norm: GroupNorm[512]
  head: Linear[512, 1000]
}

## The logits of a batch.
fn fec_large(p: FecLarge, x: f32[b, 3, h, w]) -> f32[b, 1000] = for i -> large(p, x[i], keep_all)

## The same in training, with stochastic depth: every image drops branches of its own.
fn fec_large_training(p: FecLarge, x: f32[b, 3, h, w], rate: f32, k: key) -> f32[b, 1000] =
  for i -> large(p, x[i], fn (branch) -> keep_some(branch, 24, rate, split(k, i)))

fn large(p: FecLarge, x: f32[3, h, w], keep: fn(i32) -> f32) -> f32[1000] =
  network[4, 4, 2, 2](p.stem, p.stage1, p.pool1, p.stage2, p.pool2, p.stage3, p.pool3, p.stage4, p.norm, p.head, x, keep)

## A model of 10 classes that is small enough to be looked at whole, for tests and demonstrations.
struct FecMicro {
  @name("patch_embed.proj") stem: Conv2d[5, 8, 4, 4]
  @name("network.0") stage1: [Block[8, 2, 4, 2]; 1]
  @name("network.1") pool1: Pooling[8, 12]
  @name("network.2") stage2: [Block[12, 2, 4, 2]; 2]
  @name("network.3") pool2: Pooling[12, 16]
  @name("network.4") stage3: [Block[16, 3, 4, 2]; 1]
  @name("network.5") pool3: Pooling[16, 24]
  @name("network.6") stage4: [Block[24, 2, 6, 2]; 1]
  norm: GroupNorm[24]
  head: Linear[24, 10]
}

## The logits of a batch.
fn fec_micro(p: FecMicro, x: f32[b, 3, h, w]) -> f32[b, 10] = for i -> micro(p, x[i], keep_all)

## The same in training, with stochastic depth: every image drops branches of its own.
fn fec_micro_training(p: FecMicro, x: f32[b, 3, h, w], rate: f32, k: key) -> f32[b, 10] =
  for i -> micro(p, x[i], fn (branch) -> keep_some(branch, 5, rate, split(k, i)))

fn micro(p: FecMicro, x: f32[3, h, w], keep: fn(i32) -> f32) -> f32[10] =
  network[4, 4, 2, 2](p.stem, p.stage1, p.pool1, p.stage2, p.pool2, p.stage3, p.pool3, p.stage4, p.norm, p.head, x, keep)

## Three stages for images of 32 × 32 in 10 classes: 91 thousand parameters, 0.96 million MAC. It learns in minutes on a slow
## device.
struct FecMini {
  @name("patch_embed.proj") stem: Conv2d[5, 16, 4, 4]
  @name("network.0") stage1: [Block[16, 2, 8, 4]; 1]
  @name("network.1") pool1: Pooling[16, 32]
  @name("network.2") stage2: [Block[32, 4, 8, 4]; 1]
  @name("network.3") pool2: Pooling[32, 64]
  @name("network.4") stage3: [Block[64, 4, 16, 4]; 1]
  norm: GroupNorm[64]
  head: Linear[64, 10]
}

## The logits of a batch.
fn fec_mini(p: FecMini, x: f32[b, 3, h, w]) -> f32[b, 10] = for i -> mini(p, x[i], keep_all)

## The same in training, with stochastic depth: every image drops branches of its own.
fn fec_mini_training(p: FecMini, x: f32[b, 3, h, w], rate: f32, k: key) -> f32[b, 10] =
  for i -> mini(p, x[i], fn (branch) -> keep_some(branch, 3, rate, split(k, i)))

fn mini(p: FecMini, x: f32[3, h, w], keep: fn(i32) -> f32) -> f32[10] {
  let x1 = stage[4](p.stage1, stem(p.stem, x), 0, keep)
  let x2 = stage[2](p.stage2, pooling(p.pool1, x1), 1, keep)
  let x3 = stage[2](p.stage3, pooling(p.pool2, x2), 2, keep)
  linear(p.head, global_avg_pool(group_norm[1](p.norm, x3)))
}
`,
  layers: `# The layers of FEC, of one image: a map f32[channels, height, width]. See \`fec.fec\`. Parameters bear the names and the
# shapes of the released checkpoints.
use ./cluster.{aggregate, assign, assign_by_cosine, cluster, cluster_seed, similarity}
use conv.{Conv2d, conv1x1, conv2d}
use image.{from_points, to_points, with_position}
use nn.{Mlp, mlp}
use norm.{GroupNorm, group_norm, grouped}
use pool.{adaptive_avg_pool}

## The clustering mixer: \`heads\` heads of \`size\` numbers see every point's c. All heads share α and β.
struct Mixer[c, heads, size] {
  @name("sim_alpha") alpha: f32[1] ~ ones
  @name("sim_beta") beta: f32[1] ~ zeros
  f: Conv2d[c, heads * size, 1, 1]
  proj: Conv2d[heads * size, c, 1, 1]
  v: Conv2d[c, heads * size, 1, 1]
}

## Projects the points, lets every head exchange by \`exchange\`, puts the heads side by side and projects back. Head e owns
## the channels size e … size (e+1) - 1. The centers are the means of f and v over the windows of a \`grid\` × \`grid\`.
fn by_heads[grid](p: Mixer[c, heads, size], x: f32[c, h, w],
                  exchange: fn(f32[h * w, size], f32[h * w, size], f32[grid * grid, size], f32[grid * grid, size])
                    -> f32[h * w, size]) -> f32[c, h, w] {
  let f = conv1x1(p.f, x)
  let v = conv1x1(p.v, x)
  let y = for e -> {
    let own_f = grouped[heads](f)[e]
    let own_v = grouped[heads](v)[e]
    exchange(to_points(own_f), to_points(own_v), centers[grid, grid](own_f), centers[grid, grid](own_v))
  }
  conv1x1(p.proj, for r: heads * size, i: h, j: w -> y[r // size, i * w + j, r % size])
}

## The means over the windows of a grid, row by row.
fn centers[rows, columns](x: f32[c, h, w]) -> f32[rows * columns, c] = to_points(adaptive_avg_pool[rows, columns](x))

## The mixer of the released models.
fn mixer[grid](p: Mixer[c, heads, size], x: f32[c, h, w]) -> f32[c, h, w] =
  by_heads[grid](p, x, fn (f, v, center_f, center_v) -> cluster(f, v, center_f, center_v, p.alpha[0], p.beta[0]))

## The mixer of the paper's Algorithm S1, with the same parameters.
fn seed_mixer[grid](p: Mixer[c, heads, size], x: f32[c, h, w]) -> f32[c, h, w] =
  by_heads[grid](p, x, fn (f, v, center_f, center_v) -> cluster_seed(f, v, center_f, center_v, p.alpha[0], p.beta[0]))

## The centers that the points choose in every head of \`mixer\`, to look at.
fn mixer_assignment[grid](p: Mixer[c, heads, size], x: f32[c, h, w]) -> idx[grid * grid][heads, h * w] {
  let f = grouped[heads](conv1x1(p.f, x))
  for e -> assign(similarity(to_points(f[e]), centers[grid, grid](f[e]), p.alpha[0], p.beta[0]))
}

## A block of a stage: a mixer and a perceptron with ratio · c hidden units, each on a residual branch of its own.
struct Block[c, heads, size, ratio] {
  @name("layer_scale_1") scale1: f32[c] ~ constant(1e-5)
  @name("layer_scale_2") scale2: f32[c] ~ constant(1e-5)
  norm1: GroupNorm[c]
  @name("token_mixer") mixer: Mixer[c, heads, size]
  norm2: GroupNorm[c]
  mlp: Mlp[c, ratio * c, c]
}

## x ← x + κ₁ γ₁ ⊙ mixer(norm₁(x)), then x ← x + κ₂ γ₂ ⊙ mlp(norm₂(x)). The norms are over all points and channels together;
## the perceptron sees one point at a time. κ is 1, but for a branch that stochastic depth drops or strengthens.
fn block[grid](p: Block[c, heads, size, ratio], x: f32[c, h, w], keep1: f32, keep2: f32) -> f32[c, h, w] {
  let mixed = mixer[grid](p.mixer, group_norm[1](p.norm1, x))
  let y[q, i, j] = x[q, i, j] + keep1 * p.scale1[q] * mixed[q, i, j]
  let z = group_norm[1](p.norm2, y)
  let thought[i, j] = mlp(p.mlp, for q -> z[q, i, j])
  for q, i, j -> y[q, i, j] + keep2 * p.scale2[q] * thought[i, j, q]
}

## A stage: its blocks, one after the other. \`first\` is the number of the first one in the whole network; branches have the
## numbers 2 t and 2 t + 1 in block t.
fn stage[grid](blocks: [Block[c, heads, size, ratio]; t], x: f32[c, h, w], first: i32, keep: fn(i32) -> f32) -> f32[c, h, w] {
  let (y, _end) = fold (y, t) = (x, 2 * first) for p in blocks -> (block[grid](p, y, keep(t), keep(t + 1)), t + 2)
  y
}

## Clustering as pooling, from c channels to e.
struct Pooling[c, e] {
  @name("norm2") norm: GroupNorm[e]
  @name("conv_f") f: Conv2d[c, e, 1, 1]
  @name("conv_v") v: Conv2d[c, e, 1, 1]
  @name("conv_skip") skip: Conv2d[c, e, 3, 3]
}

## A map of half the height and width whose points are clusters' representatives: y = skip(x) + norm(g). The centers are the
## means of 2 × 2 points; a point joins the one of the largest cosine, wherever that lies. The choice is all that depends on
## \`p.f\`, which therefore has no gradient: training leaves it as it was drawn.
fn pooling(p: Pooling[c, e], x: f32[c, h, w]) -> f32[e, h / 2, w / 2] {
  let v = conv1x1(p.v, x)
  let g = aggregate(to_points(v), centers[h / 2, w / 2](v), pooling_assignment(p, x))
  conv2d[2, 1, 1, 1](p.skip, x) + group_norm[1](p.norm, from_points[h / 2, w / 2](g))
}

## The center that every point chooses in \`pooling\`.
fn pooling_assignment(p: Pooling[c, e], x: f32[c, h, w]) -> idx[(h / 2) * (w / 2)][h * w] {
  let f = conv1x1(p.f, x)
  assign_by_cosine(to_points(f), centers[h / 2, w / 2](f))
}

## Pixels and their coordinates to points, a point for each 4 × 4 pixels.
fn stem(p: Conv2d[5, c, 4, 4], x: f32[3, h, w]) -> f32[c, h // 4, w // 4] = conv2d[4, 0, 1, 1](p, with_position(x))
`,
  train: `# A step of training: forward, loss, backward, AdamW. The caller gives each step's learning rate and carries the parameters
# and the moments from one step to the next.
#
#     parameters, moments, images, labels ──▶ logits ──▶ loss ──▶ gradients ──▶ parameters, moments
use ./fec.{
  FecBase, FecLarge, FecMicro, FecMini, FecSmall, fec_base_training, fec_large_training, fec_micro_training,
  fec_mini_training, fec_small_training
}
use loss.{is_correct, smoothed_nll}
use optim.{Moments, adamw}

## What a run holds fixed.
struct Recipe {
  ## Of tensors with two axes or more; gains, biases and single numbers don't decay.
  weight_decay: f32
  ## The part of every target that is spread over all classes.
  label_smoothing: f32
  ## The probability that a branch of the last block is dropped; it grows from 0 at the first block.
  drop_path: f32
}

## The mean loss of a batch and how many of its images are classified rightly.
fn batch_loss(logits: f32[b, classes], label: idx[classes][b], smoothing: f32) -> (f32, i32) =
  (mean[i] smoothed_nll(logits[i], label[i], smoothing), count[i] is_correct(logits[i], label[i]))

## One step of any model: parameters and moments after step number \`step\`, counted from 0, and the loss and the rightly
## classified images before it. \`logits\` is the model on the batch, as a function of its parameters. \`adjust\` stands between the
## gradients and AdamW, whose betas and ε are PyTorch's defaults: \`fn (g) -> g\`, or a clip.
##
## A parameter that no gradient reaches is PyTorch's "gradient is None": it is skipped, it neither decays nor has moments. That
## is a matter of how a training step is compiled, not of what is written here.
fn training_step(logits: fn(T) -> f32[b, classes], adjust: fn(T) -> T, p: T, s: Moments[T], step: i32, lr: f32,
                 r: Recipe, label: idx[classes][b]) -> (T, Moments[T], f32, i32) {
  let ((loss, hits), g) = value_and_grad(fn (q) -> batch_loss(logits(q), label, r.label_smoothing))(p)
  let (next, moments) = adamw(p, adjust(g), s, step, lr, 0.9, 0.999, 1e-8, r.weight_decay, true)
  (next, moments, loss, hits)
}

## A step of fec_small. \`k\` is the key of the run, from which every step draws its own.
fn fec_small_step(p: FecSmall, s: Moments[FecSmall], step: i32, lr: f32, r: Recipe, k: key, x: f32[b, 3, h, w],
                  label: idx[1000][b]) -> (FecSmall, Moments[FecSmall], f32, i32) =
  training_step(fn (q) -> fec_small_training(q, x, r.drop_path, split(k, step)), fn (g) -> g, p, s, step, lr, r, label)

## A step of fec_base.
fn fec_base_step(p: FecBase, s: Moments[FecBase], step: i32, lr: f32, r: Recipe, k: key, x: f32[b, 3, h, w],
                 label: idx[1000][b]) -> (FecBase, Moments[FecBase], f32, i32) =
  training_step(fn (q) -> fec_base_training(q, x, r.drop_path, split(k, step)), fn (g) -> g, p, s, step, lr, r, label)

## A step of fec_large.
fn fec_large_step(p: FecLarge, s: Moments[FecLarge], step: i32, lr: f32, r: Recipe, k: key, x: f32[b, 3, h, w],
                  label: idx[1000][b]) -> (FecLarge, Moments[FecLarge], f32, i32) =
  training_step(fn (q) -> fec_large_training(q, x, r.drop_path, split(k, step)), fn (g) -> g, p, s, step, lr, r, label)

## A step of fec_micro.
fn fec_micro_step(p: FecMicro, s: Moments[FecMicro], step: i32, lr: f32, r: Recipe, k: key, x: f32[b, 3, h, w],
                  label: idx[10][b]) -> (FecMicro, Moments[FecMicro], f32, i32) =
  training_step(fn (q) -> fec_micro_training(q, x, r.drop_path, split(k, step)), fn (g) -> g, p, s, step, lr, r, label)

## A step of fec_mini.
fn fec_mini_step(p: FecMini, s: Moments[FecMini], step: i32, lr: f32, r: Recipe, k: key, x: f32[b, 3, h, w],
                 label: idx[10][b]) -> (FecMini, Moments[FecMini], f32, i32) =
  training_step(fn (q) -> fec_mini_training(q, x, r.drop_path, split(k, step)), fn (g) -> g, p, s, step, lr, r, label)
`,
};
