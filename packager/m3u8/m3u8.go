// Package m3u8 is playlists as data, and their text (draft-pantos-hls-rfc8216bis-22).
//
// Media and Multivariant are plain values; Append prints them, with the bytes that players were found to
// agree on. ParseMedia and ParseMultivariant read our own playlists back, for tests and tools. The package
// knows nothing of segments' bytes, of time passing, or of HTTP.
//
// To add a tag, give it a field, a line in Append and a case in the parser; the round-trip test and the
// golden texts say whether they agree.
package m3u8
