import type { Course } from './model.ts';

/** Most values of a course; with more the steps are doubled. */
export const MAX_COURSE_VALUES = 600;
/** Seconds of a step at first. */
const FIRST_STEP = 0.5;

/** A course of any length in a fixed number of values. */
export class CourseMeter {
  readonly #join: (a: number, b: number) => number;
  #step = FIRST_STEP;
  #values: (number | null)[] = [];

  /** @param join makes one value of two that fall into one step. */
  constructor(join: (a: number, b: number) => number) {
    this.#join = join;
  }

  /** @param time seconds from the start; what lies before belongs to the first step. */
  add(time: number, value: number): void {
    if (!Number.isFinite(time) || !Number.isFinite(value)) return;
    let at = Math.max(0, Math.floor(time / this.#step));
    while (at >= MAX_COURSE_VALUES) {
      this.#double();
      at = Math.floor(time / this.#step);
    }
    while (this.#values.length <= at) this.#values.push(null);
    this.#values[at] = this.#joined(this.#values[at] ?? null, value);
  }

  /** @param each makes the value that is shown of a step's seconds and its value. */
  course(each: (value: number, step: number) => number = (value) => value): Course {
    const step = this.#step;
    return { step, values: this.#values.map((value) => (value === null ? null : each(value, step))) };
  }

  #double(): void {
    const halved: (number | null)[] = [];
    for (let i = 0; i < this.#values.length; i += 2) {
      halved.push(this.#joined(this.#values[i] ?? null, this.#values[i + 1] ?? null));
    }
    this.#values = halved;
    this.#step *= 2;
  }

  #joined(a: number | null, b: number | null): number | null {
    return a === null ? b : b === null ? a : this.#join(a, b);
  }
}
