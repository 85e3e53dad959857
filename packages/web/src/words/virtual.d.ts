/** Texts of one language, made by `vite-words.ts` from the catalogue. */
declare module 'virtual:words/*' {
  const texts: Readonly<Record<string, string>>;
  export default texts;
}
