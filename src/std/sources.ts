/** The standard library by module name. Generated from the .fec files here by `npm run std`; edit those. */
export const stdSources: Readonly<Record<string, string>> = {
  attention: `# Scaled dot-product attention, of one sequence. Vaswani et al., arXiv 1706.03762.
use nn.{Linear, linear}
use softmax.{softmax}

## One head: softmax(q kᵀ / √d) v, for n queries and m keys with their values.
fn attention(q: f32[n, d], k: f32[m, d], v: f32[m, e]) -> f32[n, e] {
  let score[i, j] = (sum[c] q[i, c] * k[j, c]) / sqrt(f32(d))
  let weight = for i -> softmax(score[i])
  for i, c -> sum[j] weight[i, j] * v[j, c]
}

## One head in which query i sees key j only where \`visible(i, j)\`; every query must see at least one key.
fn masked_attention(q: f32[n, d], k: f32[m, d], v: f32[m, e], visible: fn(i32, i32) -> bool) -> f32[n, e] {
  let score[i, j] = if visible(i, j) then (sum[c] q[i, c] * k[j, c]) / sqrt(f32(d)) else -3.4e38
  let weight = for i -> softmax(score[i])
  for i, c -> sum[j] weight[i, j] * v[j, c]
}

## One head in which a query sees the keys up to its own place.
fn causal_attention(q: f32[n, d], k: f32[m, d], v: f32[m, e]) -> f32[n, e] =
  masked_attention(q, k, v, fn (i, j) -> j <= i)

## Projections of vectors of d numbers to \`heads\` heads of \`size\` numbers, and back. Head g owns the numbers
## g size … (g+1) size - 1 of a projection.
struct MultiHeadAttention[d, heads, size] {
  query: Linear[d, heads * size]
  keys: Linear[d, heads * size]
  values: Linear[d, heads * size]
  output: Linear[heads * size, d]
}

## Every vector of x attends to every vector of \`context\`; self-attention is \`multi_head_attention(p, x, x)\`.
fn multi_head_attention(p: MultiHeadAttention[d, heads, size], x: f32[n, d], context: f32[m, d]) -> f32[n, d] =
  projected_attention(p, x, context, fn (q, k, v) -> attention(q, k, v))

## Self-attention in which a vector sees itself and those before it.
fn causal_multi_head_attention(p: MultiHeadAttention[d, heads, size], x: f32[n, d]) -> f32[n, d] =
  projected_attention(p, x, x, fn (q, k, v) -> causal_attention(q, k, v))

## Projects, lets every head attend by \`attend\`, puts the heads side by side and projects back.
fn projected_attention(p: MultiHeadAttention[d, heads, size], x: f32[n, d], context: f32[m, d],
                       attend: fn(f32[n, size], f32[m, size], f32[m, size]) -> f32[n, size]) -> f32[n, d] {
  let q = for i -> linear(p.query, x[i])
  let k = for j -> linear(p.keys, context[j])
  let v = for j -> linear(p.values, context[j])
  let mixed = for g: heads -> attend(
    for i: n, c: size -> q[i, g * size + c],
    for j: m, c: size -> k[j, g * size + c],
    for j: m, c: size -> v[j, g * size + c])
  for i: n -> linear(p.output, for r: heads * size -> mixed[r // size, i, r % size])
}
`,
  conv: `# Convolution of one image f32[channels, height, width]. As everywhere in machine learning, the kernel is not mirrored.

## A kernel of kh × kw for each of o output channels, each of which sees i input channels: all of them in one group,
## c / groups otherwise. Drawn as PyTorch draws it: uniform in ±1/√(i kh kw), the bias too.
struct Conv2d[i, o, kh, kw] {
  weight: f32[o, i, kh, kw] ~ kaiming_uniform(i * kh * kw)
  bias: f32[o] ~ kaiming_uniform(i * kh * kw)
}

## Convolution without a bias, for one that a normalisation follows:
##
##     y[r, a, b] = Σ w[r, q, da, db] x[group(r) i + q, stride a + dilation da - padding, stride b + dilation db - padding]
##
## Reads outside the image are 0. Output channel r belongs to group r // (o / groups), which owns i consecutive input
## channels. \`convolve2d[1, 1, 1, c]\` with one input channel per kernel (i = 1) is the depthwise convolution.
fn convolve2d[stride, padding, dilation, groups](weight: f32[o, i, kh, kw], x: f32[groups * i, h, w])
    -> f32[o, (h + 2*padding - dilation*(kh - 1) - 1) // stride + 1, (w + 2*padding - dilation*(kw - 1) - 1) // stride + 1] =
  for r, a, b -> sum[q, da, db] weight[r, q, da, db] *
    x[(r // (o // groups)) * i + q, stride*a + dilation*da - padding, stride*b + dilation*db - padding | 0.0]

## Convolution with a bias; see \`convolve2d\`.
fn conv2d[stride, padding, dilation, groups](p: Conv2d[i, o, kh, kw], x: f32[groups * i, h, w])
    -> f32[o, (h + 2*padding - dilation*(kh - 1) - 1) // stride + 1, (w + 2*padding - dilation*(kw - 1) - 1) // stride + 1] {
  let y = convolve2d[stride, padding, dilation, groups](p.weight, x)
  for r, a, b -> p.bias[r] + y[r, a, b]
}

## A kernel of one point: the same affine map of the channels at every position.
fn conv1x1(p: Conv2d[i, o, 1, 1], x: f32[i, h, w]) -> f32[o, h, w] =
  for r, a, b -> p.bias[r] + sum[q] p.weight[r, q, 0, 0] * x[q, a, b]
`,
  dropout: `# Dropping at random while training; what is kept is scaled by 1 / (1 - rate), so that the expectation stays.

## 0 with probability \`rate\` < 1, else 1 / (1 - rate).
fn keep_factor(rate: f32, k: key) -> f32 = if uniform(k) < rate then 0.0 else 1.0 / (1.0 - rate)

## Drops each entry for itself. Srivastava et al., JMLR 15, 2014.
fn dropout(x: f32[n], rate: f32, k: key) -> f32[n] =
  for i -> x[i] * keep_factor(rate, split(k, i))

## Stochastic depth: drops a whole residual branch of one image. Huang et al., arXiv 1603.09382.
fn drop_path(branch: f32[c, h, w], rate: f32, k: key) -> f32[c, h, w] = keep_factor(rate, k) * branch
`,
  image: `# Images f32[channels, height, width]: coordinates, points, flips, resizing.

## The image with its coordinates appended as two channels, row then column, each in [-0.5, 0.5].
fn with_position(x: f32[c, h, w]) -> f32[c + 2, h, w] =
  for q, i, j ->
    if q < c then x[q, i, j | 0.0]
    else if q == c then f32(i) / f32(h - 1) - 0.5
    else f32(j) / f32(w - 1) - 0.5

## Colours with the given mean and deviation of every channel brought to mean 0 and deviation 1.
fn standardized(x: f32[c, h, w], average: f32[c], deviation: f32[c]) -> f32[c, h, w] =
  for q, i, j -> (x[q, i, j] - average[q]) / deviation[q]

## The positions as a list of points, row by row.
fn to_points(x: f32[c, h, w]) -> f32[h * w, c] = for n, q -> x[q, n // w, n % w]

## Points, row by row, as an image of h × w.
fn from_points[h, w](x: f32[h * w, c]) -> f32[c, h, w] = for q, i, j -> x[i * w + j, q]

## Mirrored left to right.
fn flip_horizontal(x: f32[c, h, w]) -> f32[c, h, w] = for q, i, j -> x[q, i, w - 1 - j]

## Resized by taking the nearest pixel at or before the place, as PyTorch's \`nearest\`.
fn resize_nearest[oh, ow](x: f32[c, h, w]) -> f32[c, oh, ow] =
  for q, i, j -> x[q, i * h // oh, j * w // ow]

## Where the center of pixel i of \`to\` pixels lies among \`from\` pixels, not before the first center.
fn resized_place(i: i32, from: i32, to: i32) -> f32 =
  max((f32(i) + 0.5) * f32(from) / f32(to) - 0.5, 0.0)

## Resized by linear interpolation between pixel centers: PyTorch's \`bilinear\` with \`align_corners=False\`.
fn resize_bilinear[oh, ow](x: f32[c, h, w]) -> f32[c, oh, ow] =
  for q, i, j -> {
    let y = resized_place(i, h, oh)
    let z = resized_place(j, w, ow)
    let top = clamp(i32(y), 0, h - 1)
    let left = clamp(i32(z), 0, w - 1)
    let bottom = min(top + 1, h - 1)
    let right = min(left + 1, w - 1)
    let dy = y - f32(top)
    let dz = z - f32(left)
    (1.0 - dy) * ((1.0 - dz) * x[q, top, left] + dz * x[q, top, right]) +
      dy * ((1.0 - dz) * x[q, bottom, left] + dz * x[q, bottom, right])
  }
`,
  loss: `# Losses of one example; the loss of a batch is their mean: \`mean[n] cross_entropy(model(p, x[n]), y[n])\`.
use softmax.{log_softmax, log_sum_exp}

## The distribution that is sure of one class.
fn one_hot(label: idx[c]) -> f32[c] = for k: c -> if label == k then 1.0 else 0.0

## Label smoothing: the part \`amount\` of every target is spread evenly over all classes.
## Szegedy et al., arXiv 1512.00567.
fn smoothed(target: f32[c], amount: f32) -> f32[c] =
  for k -> (1.0 - amount) * target[k] + amount / f32(c)

## Cross entropy with a distribution as the target: -Σ t log softmax(x).
fn cross_entropy(logits: f32[c], target: f32[c]) -> f32 {
  let logp = log_softmax(logits)
  -(sum[k] target[k] * logp[k])
}

## Cross entropy with a class as the target: -log softmax(x)[label].
fn nll(logits: f32[c], label: idx[c]) -> f32 = log_sum_exp(logits) - logits[label]

## Cross entropy with a class and label smoothing.
fn smoothed_nll(logits: f32[c], label: idx[c], amount: f32) -> f32 =
  cross_entropy(logits, smoothed(one_hot(label), amount))

## Cross entropy of a yes-or-no target in [0, 1], given the logit of yes.
fn binary_cross_entropy(logit: f32, target: f32) -> f32 = softplus(logit) - target * logit

## Mean squared error.
fn mse(x: f32[n], y: f32[n]) -> f32 = mean[k] (x[k] - y[k]) ^ 2

## Is the largest logit that of the label?
fn is_correct(logits: f32[c], label: idx[c]) -> bool = (argmax[k] logits[k]) == label

## Is the label among the \`places\` largest logits? Equal logits before it count as larger.
fn is_among(logits: f32[c], label: idx[c], places: i32) -> bool =
  (count[k] logits[k] > logits[label] or (logits[k] == logits[label] and k < label)) < places
`,
  nn: `# The layers of one vector: affine maps, a perceptron, embedding. Spatial layers are in conv, pool and norm.

## An affine map; drawn as timm draws a linear layer.
struct Linear[i, o] {
  weight: f32[o, i] ~ trunc_normal(0.02)
  bias: f32[o] ~ zeros
}

## y = W x + b, of one vector.
fn linear(p: Linear[i, o], x: f32[i]) -> f32[o] =
  for r -> p.bias[r] + sum[c] p.weight[r, c] * x[c]

## A perceptron with one hidden layer of h units.
struct Mlp[i, h, o] {
  fc1: Linear[i, h]
  fc2: Linear[h, o]
}

## y = W₂ gelu(W₁ x + b₁) + b₂, of one vector.
fn mlp(p: Mlp[i, h, o], x: f32[i]) -> f32[o] =
  linear(p.fc2, gelu(linear(p.fc1, x)))

## A vector of d numbers for each of n tokens.
struct Embedding[n, d] {
  weight: f32[n, d] ~ normal(0.02)
}

## The vector of one token.
fn embedding(p: Embedding[n, d], token: idx[n]) -> f32[d] = p.weight[token]
`,
  norm: `# Normalisation: (x - μ) / √(σ² + ε), then a gain and a bias. The layers differ in what μ and σ² are taken over.
# Variances are biased (divided by the number of entries); only batch norm's running variance is not.

## ε, as in PyTorch.
const epsilon = 1e-5

## The mean square of the distances from the mean. Moving the mean changes it by nothing, for the distances sum up to 0: its
## derivative has no term for that.
fn variance(x: f32[n]) -> f32 {
  let mu = mean[k] x[k]
  mean[k] (x[k] - mu) ^ 2
}
  vjp (x, ct) -> {
    let mu = mean[k] x[k]
    for k -> ct * (2.0 / f32(n)) * (x[k] - mu)
  }

## The same over all entries of an image.
fn image_variance(x: f32[c, h, w]) -> f32 {
  let mu = mean[q, i, j] x[q, i, j]
  mean[q, i, j] (x[q, i, j] - mu) ^ 2
}
  vjp (x, ct) -> {
    let mu = mean[q, i, j] x[q, i, j]
    for q, i, j -> ct * (2.0 / f32(c * h * w)) * (x[q, i, j] - mu)
  }

## Gain and bias of d entries.
struct LayerNorm[d] {
  weight: f32[d] ~ ones
  bias: f32[d] ~ zeros
}

## Over the entries of one vector. Ba, Kiros & Hinton, arXiv 1607.06450.
fn layer_norm(p: LayerNorm[d], x: f32[d]) -> f32[d] {
  let mu = mean[k] x[k]
  let scale = rsqrt(variance(x) + epsilon)
  for k -> p.weight[k] * ((x[k] - mu) * scale) + p.bias[k]
}

## Over the channels of one position of an image: layer norm with the channels in front.
fn channel_norm(p: LayerNorm[c], x: f32[c, h, w]) -> f32[c, h, w] {
  let mu[i, j] = mean[q] x[q, i, j]
  let scale = for i, j -> rsqrt(variance(for q -> x[q, i, j]) + epsilon)
  for q, i, j -> p.weight[q] * ((x[q, i, j] - mu[i, j]) * scale[i, j]) + p.bias[q]
}

## Gain and bias of c channels.
struct GroupNorm[c] {
  weight: f32[c] ~ ones
  bias: f32[c] ~ zeros
}

## The c channels as \`groups\` groups of c / groups consecutive ones.
fn grouped[groups](x: f32[c, h, w]) -> f32[groups, c / groups, h, w] =
  for g, q, i, j -> x[g * (c // groups) + q, i, j]

## Over the positions and the channels of one group, of one image. One group: the whole image; c groups: instance norm.
## Wu & He, arXiv 1803.08494.
fn group_norm[groups](p: GroupNorm[c], x: f32[c, h, w]) -> f32[c, h, w] {
  let y = grouped[groups](x)
  let mu[g] = mean[q, i, j] y[g, q, i, j]
  let scale = for g -> rsqrt(image_variance(y[g]) + epsilon)
  for q, i, j -> {
    let g = q // (c // groups)
    p.weight[q] * ((x[q, i, j] - mu[g]) * scale[g]) + p.bias[q]
  }
}

## Gain and bias of c channels.
struct BatchNorm[c] {
  weight: f32[c] ~ ones
  bias: f32[c] ~ zeros
}

## The mean and the unbiased variance of each channel over the batches seen so far, fading exponentially.
struct RunningStatistics[c] {
  running_mean: f32[c] ~ zeros
  running_var: f32[c] ~ ones
}

## Training: over the batch and the positions of one channel. Returns the running statistics too, moved by \`momentum\`
## (PyTorch's default is 0.1) toward the batch's. Ioffe & Szegedy, arXiv 1502.03167.
fn batch_norm_training(p: BatchNorm[c], s: RunningStatistics[c], x: f32[b, c, h, w], momentum: f32)
    -> (f32[b, c, h, w], RunningStatistics[c]) {
  let mu[q] = mean[n, i, j] x[n, q, i, j]
  let spread = for q -> image_variance(for n, i, j -> x[n, q, i, j])
  let scale[q] = rsqrt(spread[q] + epsilon)
  let y = for n, q, i, j -> p.weight[q] * ((x[n, q, i, j] - mu[q]) * scale[q]) + p.bias[q]
  let unbiased = f32(b * h * w) / f32(b * h * w - 1)
  let moved = RunningStatistics {
    running_mean: for q -> (1.0 - momentum) * s.running_mean[q] + momentum * mu[q],
    running_var: for q -> (1.0 - momentum) * s.running_var[q] + momentum * unbiased * spread[q]
  }
  (y, moved)
}

## Inference, of one image: with the running statistics.
fn batch_norm(p: BatchNorm[c], s: RunningStatistics[c], x: f32[c, h, w]) -> f32[c, h, w] =
  for q, i, j ->
    p.weight[q] * (x[q, i, j] - s.running_mean[q]) / sqrt(s.running_var[q] + epsilon) + p.bias[q]
`,
  optim: `# Optimisers: functions from parameters, gradients and state to new parameters and new state. T is any struct.

## The state of SGD: a running sum of gradients.
struct Momentum[T] {
  buffer: T ~ zeros
}

## Stochastic gradient descent with momentum, as in PyTorch (no dampening):
##
##     d = g + weight_decay p,   b' = momentum b + d,   p' = p - lr b'   (Nesterov: p' = p - lr (d + momentum b'))
fn sgd(p: T, g: T, s: Momentum[T], lr: f32, momentum: f32, weight_decay: f32, nesterov: bool) -> (T, Momentum[T]) {
  let d = tree_map(fn (w, g) -> g + weight_decay * w, p, g)
  let buffer = tree_map(fn (b, d) -> momentum * b + d, s.buffer, d)
  let next = tree_map(fn (w, d, b) -> if nesterov then w - lr * (d + momentum * b) else w - lr * b, p, d, buffer)
  (next, Momentum { buffer: buffer })
}

## The state of AdamW: running means of the gradient and of its square.
struct Moments[T] {
  m: T ~ zeros
  v: T ~ zeros
}

## AdamW: Adam with the decay of weights beside the gradient, not in it. \`step\` counts from 0. With \`spare_vectors\`
## only tensors of two axes or more decay, not biases, gains and single numbers (timm's rule).
##
##     m' = β₁ m + (1 - β₁) g,   v' = β₂ v + (1 - β₂) g²,   t = step + 1
##     p' = (1 - lr weight_decay) p - lr m' / (1 - β₁ᵗ) / (√(v' / (1 - β₂ᵗ)) + ε)
##
## Loshchilov & Hutter, arXiv 1711.05101; PyTorch's defaults are β₁ = 0.9, β₂ = 0.999, ε = 1e-8.
fn adamw(p: T, g: T, s: Moments[T], step: i32, lr: f32, beta1: f32, beta2: f32, epsilon: f32,
         weight_decay: f32, spare_vectors: bool) -> (T, Moments[T]) {
  let t = f32(step + 1)
  let bias1 = 1.0 - beta1 ^ t
  let bias2 = 1.0 - beta2 ^ t
  let m = tree_map(fn (m, g) -> beta1 * m + (1.0 - beta1) * g, s.m, g)
  let v = tree_map(fn (v, g) -> beta2 * v + (1.0 - beta2) * g * g, s.v, g)
  let next = tree_map(fn (w, m, v) -> {
    let decay = if spare_vectors and rank(w) < 2 then 0.0 else weight_decay
    w * (1.0 - lr * decay) - lr * (m / bias1) / (sqrt(v / bias2) + epsilon)
  }, p, m, v)
  (next, Moments { m: m, v: v })
}

## Exponential moving average of parameters: decay a + (1 - decay) p.
fn ema(average: T, p: T, decay: f32) -> T =
  tree_map(fn (a, w) -> decay * a + (1.0 - decay) * w, average, p)

## The Euclidean norm of all numbers of a struct together.
fn global_norm(g: T) -> f32 = sqrt(tree_sum(fn (x) -> x * x, g))

## Gradients scaled so that their global norm is at most \`limit\` (PyTorch's \`clip_grad_norm_\`), and the norm before.
fn clip_by_global_norm(g: T, limit: f32) -> (T, f32) {
  let norm = global_norm(g)
  let scale = min(1.0, limit / (norm + 1e-6))
  (tree_map(fn (x) -> scale * x, g), norm)
}
`,
  pool: `# Pooling of one image f32[channels, height, width] to fewer positions, each channel for itself. Windows are square,
# \`size\` wide and \`stride\` apart; the image has \`padding\` extra positions on every side, at most size / 2.

## The largest value of each window. Outside the image stands a number below any other, finite in f32. At a tie the
## gradient goes to the first.
fn max_pool[size, stride, padding](x: f32[c, h, w])
    -> f32[c, (h + 2*padding - size) // stride + 1, (w + 2*padding - size) // stride + 1] =
  for q, i, j -> max[di: size, dj: size] x[q, stride*i + di - padding, stride*j + dj - padding | -3.4e38]

## The mean of each window, positions outside the image counted as zeros: PyTorch's default (\`count_include_pad=True\`).
fn avg_pool[size, stride, padding](x: f32[c, h, w])
    -> f32[c, (h + 2*padding - size) // stride + 1, (w + 2*padding - size) // stride + 1] =
  for q, i, j -> mean[di: size, dj: size] x[q, stride*i + di - padding, stride*j + dj - padding | 0.0]

## How many of the positions start … start+size-1 are among 0 … length-1.
fn covered(start: i32, size: i32, length: i32) -> i32 = min(start + size, length) - max(start, 0)

## The mean of the part of each window that lies in the image: \`count_include_pad=False\`.
fn avg_pool_inside[size, stride, padding](x: f32[c, h, w])
    -> f32[c, (h + 2*padding - size) // stride + 1, (w + 2*padding - size) // stride + 1] =
  for q, i, j ->
    (sum[di: size, dj: size] x[q, stride*i + di - padding, stride*j + dj - padding | 0.0]) /
    f32(covered(stride*i - padding, size, h) * covered(stride*j - padding, size, w))

## The mean over each cell of an oh × ow grid: along an axis of length h, cell i is ⌊i h / oh⌋ … ⌈(i+1) h / oh⌉ - 1.
## Cells overlap by one when oh does not divide h, as in PyTorch.
fn adaptive_avg_pool[oh, ow](x: f32[c, h, w]) -> f32[c, oh, ow] =
  for q, i, j -> mean[y: i*h // oh .. ((i + 1)*h + oh - 1) // oh,
                      z: j*w // ow .. ((j + 1)*w + ow - 1) // ow] x[q, y, z]

## The largest value of each cell; the cells are those of \`adaptive_avg_pool\`.
fn adaptive_max_pool[oh, ow](x: f32[c, h, w]) -> f32[c, oh, ow] =
  for q, i, j -> max[y: i*h // oh .. ((i + 1)*h + oh - 1) // oh,
                     z: j*w // ow .. ((j + 1)*w + ow - 1) // ow] x[q, y, z]

## The mean over all positions.
fn global_avg_pool(x: f32[c, h, w]) -> f32[c] = for q -> mean[i, j] x[q, i, j]

## The largest value over all positions.
fn global_max_pool(x: f32[c, h, w]) -> f32[c] = for q -> max[i, j] x[q, i, j]
`,
  prelude: `# Names that every program sees without \`use\`: activations, and random numbers by counting.

## Gaussian error linear unit, exact: x Φ(x) with Φ(x) = (1 + erf(x / √2)) / 2.
## Hendrycks & Gimpel, arXiv 1606.08415.
fn gelu(x: f32) -> f32 = 0.5 * x * (1.0 + erf(0.7071067811865476 * x))

## max(0, x). The tie at 0 goes to the constant, so relu'(0) = 0; a NaN stays one.
fn relu(x: f32) -> f32 = max(0.0, x)

## x σ(x), also called swish. Elfwing et al., arXiv 1702.03118.
fn silu(x: f32) -> f32 = x * sigmoid(x)

## log(1 + exp(x)). The exponent is never positive, so nothing overflows; the slope is σ(x), at 0 as well.
fn softplus(x: f32) -> f32 = if x > 0.0 then x + log1p(exp(-x)) else log1p(exp(x))

# Random numbers are a function of a key and nothing else: the same on every device, in any order, in parallel.
#
# The generator is Philox 4×32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011). A key is its
# two words of key. Of the four counter words the last says what the block is for, so that streams never overlap:
#
#     counter           block is for               words used
#     (0, 0, 0, 0)      bits(k), uniform(k)        the first; uniform is its upper 24 bits
#     (0, 0, 0, 1)      normal(k)                  the first two
#     (i, 0, 0, 2)      split(k, i)                the first two: the new key
#
# \`bits\` and \`uniform\` of one key are one draw; a draw is used once, and \`split\` makes the keys for others.

## One block of Philox 4×32-10: key (k0, k1) and counter (c0, c1, c2, c3) to four random words. Each round multiplies
## the even words to 64 bits, crosses the halves, mixes in the odd words and the key; the key then advances by
## the golden ratio and √3 - 1, as fractions of 2^32.
fn philox(k0: u32, k1: u32, c0: u32, c1: u32, c2: u32, c3: u32) -> (u32, u32, u32, u32) {
  let m0 = u32(3528531795)
  let m1 = u32(3449720151)
  let (r0, r1, r2, r3, _j0, _j1) = fold (a0, a1, a2, a3, j0, j1) = (c0, c1, c2, c3, k0, k1) for t: 10 -> (
    bit_xor(bit_xor(mul_high(m1, a2), a1), j0),
    m1 * a2,
    bit_xor(bit_xor(mul_high(m0, a0), a3), j1),
    m0 * a0,
    j0 + u32(2654435769),
    j1 + u32(3144134277))
  (r0, r1, r2, r3)
}

## The key of two words.
fn key_of(k0: u32, k1: u32) -> key = for w: 2 -> if w == 0 then k0 else k1

## The key of a seed that is not negative.
fn key_from_seed(seed: i32) -> key = key_of(u32(seed), u32(0))

## An independent key for every i ≥ 0: \`for i -> uniform(split(k, i))\` are independent draws.
fn split(k: key, i: i32) -> key {
  let (k0, k1, _r2, _r3) = philox(k[0], k[1], u32(i), u32(0), u32(0), u32(2))
  key_of(k0, k1)
}

## 32 random bits.
fn bits(k: key) -> u32 {
  let (r0, _r1, _r2, _r3) = philox(k[0], k[1], u32(0), u32(0), u32(0), u32(0))
  r0
}

## The upper 24 bits as a fraction: a multiple of 2^-24 in [0, 1), exact in f32.
fn unit_fraction(word: u32) -> f32 = f32(shift_right(word, u32(8))) * 5.9604644775390625e-8

## Uniform in [0, 1): 2^24 equally likely values.
fn uniform(k: key) -> f32 = unit_fraction(bits(k))

## Standard normal, by Box and Muller: √(-2 log u) cos(2π v). Here u is in (0, 1], so the logarithm is finite; the
## largest value is √(48 log 2) ≈ 5.77.
fn normal(k: key) -> f32 {
  let (r0, r1, _r2, _r3) = philox(k[0], k[1], u32(0), u32(0), u32(0), u32(1))
  let u = unit_fraction(r0) + 5.9604644775390625e-8
  sqrt(-2.0 * log(u)) * cos(6.283185307179586 * unit_fraction(r1))
}
`,
  random: `# Distributions on top of the prelude's \`bits\`, \`uniform\` and \`normal\`. Each takes a key of its own.

## Uniform in [lo, hi).
fn uniform_between(k: key, lo: f32, hi: f32) -> f32 = lo + (hi - lo) * uniform(k)

## True with probability p.
fn bernoulli(k: key, p: f32) -> bool = uniform(k) < p

## A whole number in 0 … n-1: the upper half of n × bits. The bias is below n / 2^32.
fn whole_below(k: key, n: i32) -> i32 = i32(mul_high(bits(k), u32(n)))

## n independent uniform numbers in [0, 1).
fn uniforms[n](k: key) -> f32[n] = for i: n -> uniform(split(k, i))

## n independent standard normal numbers.
fn normals[n](k: key) -> f32[n] = for i: n -> normal(split(k, i))
`,
  schedule: `# Learning rates over time. Time t and the lengths are in one unit, steps or epochs.

## A straight line from \`start\` at t = 0 to \`peak\` at t = length; \`peak\` after that.
fn warmup(t: f32, length: f32, start: f32, peak: f32) -> f32 =
  if t < length then start + (peak - start) * t / length else peak

## Half a cosine from \`peak\` at t = 0 to \`low\` at t = length; \`low\` after that. Loshchilov & Hutter, arXiv 1608.03983.
fn cosine(t: f32, length: f32, peak: f32, low: f32) -> f32 =
  if t < length then low + 0.5 * (peak - low) * (1.0 + cos(3.141592653589793 * t / length)) else low

## A warm-up, then the cosine from where it would be at that time: time is not counted anew after the warm-up. The
## schedule of timm and DeiT.
fn warmup_cosine(t: f32, warmup_length: f32, length: f32, start: f32, peak: f32, low: f32) -> f32 =
  if t < warmup_length then warmup(t, warmup_length, start, peak) else cosine(t, length, peak, low)
`,
  softmax: `# Softmax and its logarithm, of one vector. The largest entry is taken out first, so nothing overflows.

## log Σ exp(x).
fn log_sum_exp(x: f32[n]) -> f32 {
  let top = stop_gradient(max[i] x[i])
  top + log(sum[i] exp(x[i] - top))
}

## exp(x) / Σ exp(x).
fn softmax(x: f32[n]) -> f32[n] {
  let top = stop_gradient(max[i] x[i])
  let e[i] = exp(x[i] - top)
  let total = sum[i] e[i]
  for i -> e[i] / total
}

## x - log Σ exp(x): the logarithm of softmax, exact where softmax itself underflows.
fn log_softmax(x: f32[n]) -> f32[n] {
  let total = log_sum_exp(x)
  for i -> x[i] - total
}
`,
};
