/** Keeps the screen on: a phone that goes to sleep stops its camera. Returns what ends that. */
export function keepAwake(): () => void {
  const { wakeLock } = navigator as { readonly wakeLock?: WakeLock };
  let lock: WakeLockSentinel | undefined;
  let over = false;
  const request = async (): Promise<void> => {
    // It is lost whenever the page is not to be seen.
    if (over || document.visibilityState !== 'visible') return;
    const next = await wakeLock?.request('screen').catch(() => undefined);
    if (over) void next?.release();
    else lock = next;
  };
  document.addEventListener('visibilitychange', request);
  void request();
  return () => {
    over = true;
    document.removeEventListener('visibilitychange', request);
    void lock?.release();
  };
}
