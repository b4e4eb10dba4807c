/** Parts of 1 as people read them: `84.2 %`. */
export function percent(part: number): string {
  return `${(100 * part).toFixed(1)} %`;
}
