/** The package's entry that names its native library outright, so that the compiler of the executable embeds it. */
declare module 'better-sqlite3/linux-x64' {
  import Database from 'better-sqlite3'
  export default Database
}
