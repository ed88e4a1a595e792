/** Files behind the doorway `#console/` are imported as text. */
declare module '#console/*' {
  const text: string;
  export default text;
}
