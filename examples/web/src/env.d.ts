interface ImportMetaEnv {
  /** The API's origin. */
  readonly API_URL: string;
}
