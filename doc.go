// Package pushcart is the front door of the house, for those who come by godoc: it holds no code.
//
// Pushcart is a media server for live shopping shows. A frame walks through it like this:
//
//	encoder --RTMP--> ingest/rtmp --> ingest --> stream --> packager --> origin --HTTP--> players
//	                  the door        the clock   the hub    parts and    waits and
//	                                  repairs     and log    playlists    hands out
//
// Package media has the words that all rooms speak; config and cmd are the porch, where the rooms are
// joined. docs/architecture.md walks one frame and one cue through the rooms; deps_test.go keeps the table
// of who may import whom.
package pushcart
