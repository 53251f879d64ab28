package main

import (
	"context"
	"errors"
	"log/slog"
	"regexp"
	"testing"
	"testing/synctest"
	"time"

	"pushcart/media"
	"pushcart/media/mediatest"
	"pushcart/packager"
	"pushcart/stream"
)

// hall is a hub with its packagers.
type hall struct {
	*shows
	hub *stream.Hub
}

func newHall(most int) hall {
	log := slog.New(slog.DiscardHandler)
	s := newShows(packager.Config{Window: time.Minute}, most, log)
	return hall{s, stream.NewHub(stream.Config{ReconnectWindow: 10 * time.Second}, log, s.begin)}
}

// host publishes a few seconds of a show and leaves. With nothing, it leaves without a word.
func (h hall) host(t *testing.T, name string, nothing bool) {
	t.Helper()
	pub, err := h.hub.Publish(name, stream.Source{})
	if err != nil {
		t.Fatal(err)
	}
	if !nothing {
		video := mediatest.Video{}
		track := video.Track()
		if err := pub.Begin([]media.Track{track}); err != nil {
			t.Fatal(err)
		}
		for _, au := range video.Units(300) {
			if err := pub.Write(au); err != nil {
				t.Fatal(err)
			}
		}
	}
	pub.Close(nil)
	synctest.Wait()
}

var partURI = regexp.MustCompile(`#EXT-X-PART:.*URI="([^"]*)"`)

// lastPart returns the path of the newest part in the show's playlist.
func (h hall) lastPart(t *testing.T, name string) string {
	t.Helper()
	show, ok := h.Show(name)
	if !ok {
		t.Fatalf("no show %s", name)
	}
	d, err := show.Playlist(t.Context(), "v1", -1, -1, packager.SkipNone)
	if err != nil {
		t.Fatal(err)
	}
	all := partURI.FindAllSubmatch(d.Text(), -1)
	if len(all) == 0 {
		t.Fatalf("no parts in\n%s", d.Text())
	}
	return string(all[len(all)-1][1])
}

func TestEndedShowsStayForTheWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHall(10)
		h.host(t, "a", false)
		if show, ok := h.Show("a"); !ok || show.Ended() {
			t.Error("an interrupted show is not on")
		}
		time.Sleep(10*time.Second + time.Millisecond) // the reconnect window
		synctest.Wait()
		if show, ok := h.Show("a"); !ok || !show.Ended() {
			t.Error("a show that has just ended can't be watched")
		}
		if all := h.all(); len(all) != 1 || all[0].stream.Status().State != stream.Ended {
			t.Errorf("operators see %v", all)
		}
		time.Sleep(time.Minute - 2*time.Millisecond)
		synctest.Wait()
		if _, ok := h.Show("a"); !ok {
			t.Error("forgotten before its time")
		}
		time.Sleep(2 * time.Millisecond)
		synctest.Wait()
		if _, ok := h.Show("a"); ok || len(h.over) > 0 {
			t.Error("kept for ever")
		}
	})
}

func TestShowsThatNeverWereAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHall(10)
		h.host(t, "a", true)
		if _, ok := h.Show("a"); ok {
			t.Error("kept")
		}
	})
}

func TestEndedShowsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHall(2)
		for _, name := range []string{"a", "b", "c"} {
			h.host(t, name, false)
			h.hub.Cut(name)
			synctest.Wait()
		}
		if _, ok := h.Show("a"); ok {
			t.Error("the oldest is kept")
		}
		if _, ok := h.Show("c"); !ok {
			t.Error("the newest is not kept")
		}
		h.hub.Close()
		h.wait()
		time.Sleep(2 * time.Minute) // lets the timers end
	})
}

// Players at the end of a show may still be fetching when its host begins the next one.
func TestFormerShowCanBeFinished(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHall(10)
		h.host(t, "a", false)
		part := h.lastPart(t, "a")
		time.Sleep(11 * time.Second)
		synctest.Wait()
		h.host(t, "a", false)
		show, _ := h.Show("a")
		if _, err := show.Object(t.Context(), part); err != nil {
			t.Errorf("the former show's last part: %v", err)
		}
		if next := h.lastPart(t, "a"); next == part {
			t.Error("both shows have the same part")
		}
		if _, err := show.Object(t.Context(), "none/v1/p1.m4s"); !errors.Is(err, packager.ErrNotFound) {
			t.Errorf("a part that never was: %v", err)
		}
		time.Sleep(30 * time.Second)
		synctest.Wait()
		h.host(t, "a", false) // a third one, and the first is out of reach
		show, _ = h.Show("a")
		if _, err := show.Object(t.Context(), part); !errors.Is(err, packager.ErrNotFound) {
			t.Errorf("the first show's last part: %v", err)
		}
		h.hub.Close()
		h.wait()
		time.Sleep(2 * time.Minute)
	})
}

// Media sequence numbers go on upwards from show to show, and across restarts.
func TestSequenceNumbersGoOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(30 * 365 * 24 * time.Hour) // a bubble's clock begins in 2000, before the numbers do
		var last string
		for range 3 {
			h := newHall(10) // as after a restart
			h.host(t, "a", false)
			show, _ := h.Show("a")
			d, err := show.Playlist(context.Background(), "v1", -1, -1, packager.SkipNone)
			if err != nil {
				t.Fatal(err)
			}
			first := regexp.MustCompile(`EXT-X-MEDIA-SEQUENCE:(\d+)`).FindSubmatch(d.Text())
			if s := string(first[1]); len(s) < len(last) || len(s) == len(last) && s <= last {
				t.Errorf("media sequence goes from %s to %s", last, s)
			} else {
				last = s
			}
			h.hub.Close()
			h.wait()
			time.Sleep(2 * time.Minute)
		}
	})
}
