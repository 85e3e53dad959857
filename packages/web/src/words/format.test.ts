import { afterEach, expect, it } from 'vitest';
import { bitrate, bytes, clock, codecName, delay } from './format.ts';
import { language } from './words.ts';

afterEach(() => {
  language.value = 'en';
});

it('writes bitrates so that they stay short', () => {
  expect(bitrate(0)).toBe('0 kbit/s');
  expect(bitrate(128_000)).toBe('128 kbit/s');
  expect(bitrate(999_600)).toBe('1.0 Mbit/s');
  expect(bitrate(4_249_000)).toBe('4.2 Mbit/s');
  expect(bitrate(25_100_000)).toBe('25 Mbit/s');
  expect(bitrate(1_500_000_000)).toBe('1.5 Gbit/s');
});

it('writes sizes in powers of ten', () => {
  expect(bytes(0)).toBe('0 B');
  expect(bytes(999)).toBe('999 B');
  expect(bytes(118_400_000)).toBe('118 MB');
  expect(bytes(2.5e12)).toBe('2.5 TB');
  expect(bytes(9.9e14)).toBe('990.0 TB');
});

it('writes spans like a clock and never below zero', () => {
  expect(clock(-5)).toBe('0:00');
  expect(clock(7_900)).toBe('0:07');
  expect(clock(3_753_000)).toBe('1:02:33');
  expect(clock(176_553_000)).toBe('49:02:33');
});

it('writes delays in the unit that a person would use', () => {
  expect(delay(42)).toBe('42 ms');
  expect(delay(999.6)).toBe('1.00 s');
  expect(delay(1850)).toBe('1.85 s');
  expect(delay(14_410)).toBe('14.4 s');
});

it('names codecs the way people do', () => {
  expect(codecName('h264')).toBe('H.264');
  expect(codecName('xyz')).toBe('XYZ');
});
