package main

import (
	"slices"

	"pushcart/admin"
	"pushcart/ingest/rtsp"
)

// camera says how the fetching of a show is doing; nil if it is not fetched.
func (s *server) camera(name string) *admin.Camera {
	for _, p := range s.puller.Stats() {
		if p.Name == name {
			return &admin.Camera{Up: p.Up, Tries: p.Tries, Trouble: p.Trouble}
		}
	}
	return nil
}

// awayCameras are the shows whose cameras have been tried in vain, and that are not in list.
func (s *server) awayCameras(list []admin.Stream) []admin.Stream {
	var away []admin.Stream
	for _, p := range s.puller.Stats() {
		known := slices.ContainsFunc(list, func(a admin.Stream) bool { return a.Name == p.Name })
		if !known && p.Trouble != "" {
			away = append(away, describeAway(p))
		}
	}
	return away
}

// awayCamera is the one of them called name.
func (s *server) awayCamera(name string) (admin.Stream, bool) {
	for _, p := range s.puller.Stats() {
		if p.Name == name && p.Trouble != "" {
			return describeAway(p), true
		}
	}
	return admin.Stream{}, false
}

func describeAway(p rtsp.PullStats) admin.Stream {
	return admin.Stream{
		Name: p.Name, State: "away", Since: p.Since.UTC(), Camera: &admin.Camera{Up: p.Up, Tries: p.Tries, Trouble: p.Trouble},
		Contributors: []admin.Contributor{}, Tracks: []admin.Track{}, Repairs: map[string]int64{}, Remarks: []admin.Remark{},
	}
}
