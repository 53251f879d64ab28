package origin

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// watch plays a show by itself: it asks for one part after the other, or, without low latency, for the
// playlist once every target duration.
func watch(o *Server, rendition string, partly bool, stop <-chan struct{}) {
	target, every := "/live/shop/"+rendition+".m3u8", 2*time.Second
	if partly {
		target, every = target+"?_HLS_msn=8&_HLS_part=0", 341400*time.Microsecond
	}
	for {
		get(o, "GET", target)
		select {
		case <-stop:
			return
		case <-time.After(every):
		}
	}
}

func TestViewers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStudio(t, "low")
		s.play(9 * time.Second)
		o := newOrigin(Config{}, s)
		if n := o.Viewers("shop"); n != 0 {
			t.Errorf("%d viewers before there is one", n)
		}
		stop := make(chan struct{})
		for i := range 50 {
			go watch(o, "v1", i%5 != 0, stop)
			go watch(o, "a1", i%5 != 0, stop) // the same people's other ear
		}
		time.Sleep(30 * time.Second)
		if n := o.Viewers("shop"); n < 45 || n > 55 {
			t.Errorf("50 viewers are taken for %d", n)
		}
		close(stop)
		time.Sleep(12 * time.Second)
		if n := o.Viewers("shop"); n != 0 {
			t.Errorf("%d viewers when all have gone", n)
		}
		if n := o.Viewers("nobody"); n != 0 {
			t.Errorf("%d viewers of nothing", n)
		}
	})
}

func TestListeners(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newAudioStudio(t)
		s.play(9 * time.Second)
		o := newOrigin(Config{}, s)
		stop := make(chan struct{})
		for range 20 {
			go watch(o, "a1", true, stop)
		}
		time.Sleep(20 * time.Second)
		if n := o.Viewers("shop"); n < 18 || n > 22 {
			t.Errorf("20 listeners are taken for %d", n)
		}
		close(stop)
	})
}

// TestRoomsAreForgotten: what the origin keeps of a show goes when nobody asks any more.
func TestRoomsAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStudio(t, "low")
		s.play(9 * time.Second)
		shows := stage{}
		for i := range 100 {
			shows[fmt.Sprint("show", i)] = s.p.Window()
		}
		o := New(Config{}, shows, nil, quiet)
		count := func() (n int) {
			o.rooms.m.Range(func(any, any) bool { n++; return true })
			return n
		}
		for name := range shows {
			get(o, "GET", "/live/"+name+"/index.m3u8")
			get(o, "GET", "/live/no"+name+"/index.m3u8")
		}
		if n := count(); n != 100 {
			t.Errorf("%d rooms for 100 shows", n)
		}
		time.Sleep(2 * roomIdle * time.Second)
		shows["new"] = s.p.Window()
		get(o, "GET", "/live/new/index.m3u8")
		if n := count(); n != 1 {
			t.Errorf("%d rooms, one of them in use", n)
		}
	})
}
