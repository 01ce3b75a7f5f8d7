import type { NativeToken } from './gen/native';
import { native } from './load';

const WORDS_PER_SLAB = 1024;
const slabs = new Map<number, Int32Array | undefined>();

function slab(number: number): Int32Array | undefined {
  if (!slabs.has(number)) {
    const memory = native().slotWords(number);
    if (memory === null) return undefined;
    slabs.set(number, memory && new Int32Array(memory));
  }
  return slabs.get(number);
}

/**
 * Tells whether what was made from a token may still be handed out unasked: while the word of the token's slot has not
 * changed. The library changes it from its own threads, so it is read atomically.
 */
export class Generation {
  readonly slot: number;
  readonly generation: number;
  readonly #word: number;
  readonly #words: Int32Array | undefined;
  readonly #index: number;

  constructor(token: NativeToken) {
    this.slot = token.slot();
    this.generation = token.generation();
    this.#word = token.word();
    this.#index = this.slot % WORDS_PER_SLAB;
    this.#words = this.#word === 0 ? undefined : slab(Math.floor(this.slot / WORDS_PER_SLAB));
  }

  /** Whether it is worth keeping at all. */
  get cacheable(): boolean {
    return this.#word !== 0;
  }

  get isCurrent(): boolean {
    const now = this.#words === undefined ? native().slotWord(this.slot) : Atomics.load(this.#words, this.#index);
    return now === this.#word;
  }
}
