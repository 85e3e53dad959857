import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { t } from '../words/words.ts';

/** Quietest level that is shown, in decibels below the loudest. */
const FLOOR_DB = -60;

/** How loud the sound is at the moment. */
export function LevelMeter({ media }: { readonly media: MediaStream }): JSX.Element {
  const meter = useRef<HTMLMeterElement>(null);
  useEffect(() => {
    if (media.getAudioTracks().length === 0) return;
    const context = new AudioContext();
    const analyser = context.createAnalyser();
    analyser.fftSize = 1024;
    context.createMediaStreamSource(media).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    let frame = 0;
    const look = (): void => {
      analyser.getFloatTimeDomainData(samples);
      let sum = 0;
      for (const sample of samples) sum += sample * sample;
      const decibels = 10 * Math.log10(sum / samples.length + 1e-12);
      if (meter.current !== null) meter.current.value = Math.max(0, Math.min(1, 1 - decibels / FLOOR_DB));
      frame = requestAnimationFrame(look);
    };
    look();
    return () => {
      cancelAnimationFrame(frame);
      void context.close();
    };
  }, [media]);
  return (
    <meter
      ref={meter}
      class="level"
      min={0}
      max={1}
      low={0.2}
      high={0.9}
      optimum={0.6}
      aria-label={t('studio.level')}
    />
  );
}
