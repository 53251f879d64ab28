package main

import (
	"encoding/json"
	"net"
	"strings"
	"testing"
	"time"

	"pushcart/ingest/rtsp"
)

// TestAwayCameras has a camera that is not there: operators see the show, and why it is not on.
func TestAwayCameras(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	source := "rtsp://viewer:hush@" + ln.Addr().String() + "/x"
	ln.Close()
	s := &server{puller: &rtsp.Puller{
		Streams: []rtsp.Stream{{Name: "cam1", Source: rtsp.Source(source)}, {Name: "cam2", Source: rtsp.Source(source), OnDemand: true}},
		Taken:   func(string) bool { return false },
		Viewers: func(string) int { return 0 },
	}}
	s.puller.Want("nobody")
	go s.puller.Run(t.Context())
	for end := time.Now().Add(time.Minute); len(s.awayCameras(nil)) == 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("operators are not told")
		}
	}
	list := s.awayCameras(nil)
	if len(list) != 1 || list[0].Name != "cam1" || list[0].State != "away" || list[0].Since.IsZero() || !strings.Contains(list[0].Camera.Trouble, "refuses") {
		t.Errorf("%+v", list)
	}
	if b, err := json.Marshal(list); err != nil || strings.Contains(string(b), `"start"`) {
		t.Errorf("a show that has not begun has a beginning: %s, %v", b, err)
	}
	if more := s.awayCameras(list); len(more) > 0 {
		t.Errorf("a show is there twice: %+v", more)
	}
	if a, ok := s.awayCamera("cam1"); !ok || a.Name != "cam1" {
		t.Errorf("%+v, %v", a, ok)
	}
	if _, ok := s.awayCamera("cam2"); ok {
		t.Error("a camera that nobody has asked for is said to be away")
	}
	if c := s.camera("cam2"); c == nil || c.Tries != 0 {
		t.Errorf("%+v", c)
	}
}
