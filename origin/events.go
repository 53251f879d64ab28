package origin

import (
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"

	"pushcart/cue"
)

// How those who listen to a show's events are served (HTML, section 9.2, server-sent events).
//
// A listener is told what happens from now on; with Last-Event-ID, from there on. If that is too long ago,
// or of another process, it is told to "sync": to fetch cues.json, and go on from here. So is everybody at
// the beginning, since what was fetched before may be a moment old. The list is one cacheable document: a
// crowd that comes back costs one render, not one each. A cache may have one that is a second old, without
// what has just happened and won't be told again; so sync names it by the latest event that must be in it,
// in a query that is the same for all who come at that moment.
//
// Event ids are a process and a number. Events are "facts" (price and stock between revisions), "cue" (a
// revision has come, or its times have changed), "sync" and "end" (of the show: don't come back).
//
// Who does not read is not waited for: a write that takes longer than writeTimeout ends the connection, and
// browsers come back by themselves. Who takes it in time, but is further behind than the board remembers,
// is told to sync.
const (
	// heartbeat is how long a connection may be silent. Proxies give up after 30 to 60 seconds.
	heartbeat = 15 * time.Second
	// eventPace is the least time between two writes to a listener: prices and stock have no frame to hit,
	// and a burst of them goes out at once.
	eventPace = 100 * time.Millisecond
	// retryLeast is when a listener comes back whose connection has ended; some do up to retrySpread
	// later, so that they do not all come at once.
	retryLeast  = 1 * time.Second
	retrySpread = 4 * time.Second
	// maxEventID bounds Last-Event-ID, which is one of ours: a process and a number.
	maxEventID = 40
)

// listen tells a show's events, until the viewer goes, the show or the server ends, or the viewer is too slow.
func (e *exchange) listen(name string, board Board) {
	show, on := e.s.shows.Show(name)
	if on && show.Ended() {
		// Browsers take it for: don't come back (HTML, section 9.2.3).
		e.common()
		e.h["Cache-Control"] = noStore
		e.empty(http.StatusNoContent)
		return
	}
	if !e.s.listening.enter(e.s.cfg.MaxListeners) {
		e.fail(errListeners)
		return
	}
	defer e.s.listening.leave()
	if !e.room.listening.enter(e.s.cfg.MaxListenersPerShow) {
		e.fail(errListeners)
		return
	}
	defer e.room.listening.leave()
	e.common()
	e.cacheable()
	e.h["Content-Type"] = typeEvents
	e.h["X-Accel-Buffering"] = valueNo // nginx would collect events until a buffer is full
	l := listener{e: e, name: name, board: board, rc: http.NewResponseController(e.w)}
	l.run()
	e.count(http.StatusOK, l.sent)
}

// listener is one who listens.
type listener struct {
	e     *exchange
	name  string
	board Board
	rc    *http.ResponseController
	timer *time.Timer

	buf  []byte    // what is to be written next
	last time.Time // when something was
	sent int64
}

func (l *listener) run() {
	defer l.e.deadline(0) // for what net/http writes behind us
	l.e.w.WriteHeader(http.StatusOK)
	if l.e.r.Method == http.MethodHead {
		return
	}
	l.timer = time.NewTimer(heartbeat)
	defer l.timer.Stop()
	l.buf = append(l.buf, "retry: "...)
	l.buf = strconv.AppendInt(l.buf, (retryLeast + rand.N(retrySpread)).Milliseconds(), 10)
	l.buf = append(l.buf, "\n\n"...)
	at, ok := l.begin()
	if !ok {
		at = l.sync()
	}
	for {
		events, next, ok := l.board.Events(at)
		if !ok {
			at = l.sync()
			continue
		}
		for _, ev := range events {
			l.add(ev)
			at = ev.Number
		}
		if !l.flush() || !l.wait(next, at) {
			return
		}
	}
}

// begin returns the number of the last event that the viewer has had, if it was one of this process.
func (l *listener) begin() (uint64, bool) {
	ids := l.e.r.Header["Last-Event-Id"]
	if len(ids) != 1 || len(ids[0]) > maxEventID {
		return 0, false
	}
	number, ours := strings.CutPrefix(ids[0], l.e.s.boot+"-")
	n, err := strconv.ParseUint(number, 10, 64)
	return n, ours && err == nil
}

// sync has the viewer fetch cues.json, and returns the number of the latest event that is in it.
func (l *listener) sync() uint64 {
	at := l.board.Latest()
	data := append([]byte(`{"cues":"cues.json?after=`), l.e.s.boot...)
	data = strconv.AppendUint(append(data, '-'), at, 10)
	l.add(cue.Event{Number: at, Name: "sync", Data: append(data, `"}`...)})
	return at
}

var emptyObject = []byte("{}")

// add puts ev behind what is to be written.
func (l *listener) add(ev cue.Event) {
	b := append(l.buf, "id: "...)
	b = append(b, l.e.s.boot...)
	b = append(b, '-')
	b = strconv.AppendUint(b, ev.Number, 10)
	b = append(b, "\nevent: "...)
	b = append(b, ev.Name...)
	b = append(b, "\ndata: "...)
	b = append(b, ev.Data...)
	l.buf = append(b, "\n\n"...)
}

// flush writes what there is, and reports whether the viewer has taken it in time. The deadline holds for this
// write only: in HTTP/2, one that passes while nothing is written would end the response.
func (l *listener) flush() bool {
	if len(l.buf) == 0 {
		return true
	}
	l.e.deadline(int64(len(l.buf)))
	n, err := l.e.w.Write(l.buf)
	l.sent += int64(n)
	if err == nil {
		err = l.rc.Flush()
	}
	_ = l.rc.SetWriteDeadline(time.Time{})
	l.buf = l.buf[:0]
	l.last = time.Now()
	return err == nil
}

// wait returns when there is something to write: events, or a sign of life. It reports false at the end of the
// show, which it tells, and when the viewer or the server goes.
func (l *listener) wait(next <-chan struct{}, at uint64) bool {
	gone := l.e.r.Context().Done()
	l.timer.Reset(heartbeat)
	select {
	case <-gone:
		return false
	case <-l.over():
		l.add(cue.Event{Number: at, Name: "end", Data: emptyObject})
		l.flush()
		return false
	case <-l.timer.C:
		l.buf = append(l.buf, ":\n\n"...)
		return true
	case <-next:
	}
	l.timer.Reset(time.Until(l.last.Add(eventPace)))
	select {
	case <-gone:
		return false
	case <-l.timer.C:
		return true
	}
}

// over is closed when the show is, if it is on and has a way to say so. One that is not on yet is looked for
// again after each sign of life.
func (l *listener) over() <-chan struct{} {
	show, ok := l.e.s.shows.Show(l.name)
	if !ok {
		return nil
	}
	if s, ok := show.(interface{ Done() <-chan struct{} }); ok {
		return s.Done()
	}
	return nil
}
