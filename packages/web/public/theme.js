// Runs before the first paint, so that a chosen theme and language do not flash.
try {
  const theme = localStorage.getItem('onair.theme');
  if (theme === 'dark' || theme === 'light') document.documentElement.dataset.theme = theme;
} catch {}
