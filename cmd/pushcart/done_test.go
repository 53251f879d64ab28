package main

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestOnlyTheEndIsTheEnd: those who listen to a show's events are told of its end, for which browsers don't come
// back; so a host who is away, or a server that stops, must not look like it.
func TestOnlyTheEndIsTheEnd(t *testing.T) {
	over := func(h hall, name string) bool {
		synctest.Wait()
		sh, ok := h.find(name)
		if !ok {
			t.Fatalf("no show %s", name)
		}
		select {
		case <-sh.Done():
			return true
		default:
			return false
		}
	}
	synctest.Test(t, func(t *testing.T) {
		h := newHall(10)
		h.host(t, "a", false)
		if over(h, "a") {
			t.Error("an interrupted show is said to be over")
		}
		time.Sleep(11 * time.Second) // the reconnect window
		if !over(h, "a") {
			t.Error("a show whose host has not come back is not over")
		}
		h.host(t, "b", false)
		h.hub.Close()
		h.wait()
		if over(h, "b") {
			t.Error("a show that goes on when the server is back is said to be over")
		}
		time.Sleep(2 * time.Minute)
	})
}
