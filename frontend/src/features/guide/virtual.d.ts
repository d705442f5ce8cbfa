/** What the build makes of docs/: see scripts/guides.mjs. */
declare module "virtual:guides" {
  /** Name and title of every guide. */
  const contents: readonly (readonly [string, string])[];
  export default contents;
}
