package rtsp

import (
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"strings"

	"github.com/bluenviron/gortsplib/v4"
	"github.com/bluenviron/gortsplib/v4/pkg/base"
	"github.com/bluenviron/gortsplib/v4/pkg/liberrors"

	"pushcart/ingest"
	"pushcart/ingest/rtsp/sdp"
)

// handler is what gortsplib tells of connections and sessions. It calls methods for different connections at the
// same time.
type handler struct {
	server   *Server
	protocol string
}

// visit is one connection's way to a session. Only the connection's goroutine, and that of its one
// session while the connection waits for it, touch it.
type visit struct {
	conn      *conn
	agent     string
	announces int
	session   sdp.Session // of the latest ANNOUNCE
	problem   error       // with it
	published bool
	why       error // it was turned down
}

// ourConn finds our connection in gortsplib's.
func ourConn(nc net.Conn) *conn {
	if t, ok := nc.(*tls.Conn); ok {
		nc = t.NetConn()
	}
	return nc.(*conn)
}

// OnConnOpen begins a visit.
func (h *handler) OnConnOpen(ctx *gortsplib.ServerHandlerOnConnOpenCtx) {
	ctx.Conn.SetUserData(&visit{conn: ourConn(ctx.Conn.NetConn())})
}

// OnConnClose ends it. A host whose media come by UDP may go on sending them for a moment.
func (h *handler) OnConnClose(ctx *gortsplib.ServerHandlerOnConnCloseCtx) {
	v := ctx.Conn.UserData().(*visit)
	if v.published {
		return // the show's own log says how that ended
	}
	level, what, why := slog.LevelInfo, ": connection ended before anything was published", v.conn.Why()
	if v.why != nil {
		level, what, why = slog.LevelWarn, ": publish refused", v.why
	} else if why == nil {
		why = ctx.Error
	}
	s := h.server
	s.lobby.Noise.Log(level, h.protocol+what, "remote", v.conn.Remote, "agent", v.agent, "why", oneLine(ending(why).Error()))
}

// OnRequest looks at a request before gortsplib does, and takes out of it what a stricter reader would
// stumble over.
func (h *handler) OnRequest(sc *gortsplib.ServerConn, req *base.Request) {
	v := sc.UserData().(*visit)
	if a := req.Header["User-Agent"]; len(a) == 1 && v.agent == "" {
		v.agent = strings.ToValidUTF8(a[0][:min(len(a[0]), maxAgentLength)], "?")
	}
	delete(req.Header, "KeyMgmt") // SRTP is not offered: media are on the TLS connection, or in the clear
	if req.Method != base.Announce {
		return
	}
	v.announces++
	v.session, v.problem = sdp.Parse(req.Body)
	if v.problem != nil {
		v.session = sdp.Session{Media: []sdp.Media{{}}}
	}
	req.Body = v.session.Plain()
	req.Header["Content-Type"] = base.HeaderValue{"application/sdp"}
}

// OnDescribe says where shows can be watched.
func (h *handler) OnDescribe(*gortsplib.ServerHandlerOnDescribeCtx) (*base.Response, *gortsplib.ServerStream, error) {
	return refusal(base.StatusNotFound, errNoPlay), nil, nil
}

var errNoPlay = errors.New("Shows are published here by RTSP, and watched by HTTP: http://HOST:8080/live/NAME/")

// OnAnnounce lets a host in, or says why not.
func (h *handler) OnAnnounce(ctx *gortsplib.ServerHandlerOnAnnounceCtx) (*base.Response, error) {
	v := ctx.Conn.UserData().(*visit)
	if v.announces > maxAnnounces {
		err := errors.New("Too many attempts on one connection: check the stream key, and try again.")
		return h.refuse(v, base.StatusForbidden, err)
	}
	if v.problem != nil {
		return h.refuse(v, base.StatusBadRequest, errors.New("The stream can't be used: "+v.problem.Error()+"."))
	}
	wait := h.server.conf.Reorder
	feed, refused, err := newFeed(v.session, wait)
	if err != nil {
		return h.refuse(v, base.StatusUnsupportedMediaType, err)
	}
	pub, err := h.open(ctx, v)
	if errors.As(err, new(liberrors.ErrServerAuth)) {
		v.why = err
		return refusal(base.StatusUnauthorized, err.(*challenge).because), liberrors.ErrServerAuth{}
	}
	if err != nil {
		return h.refuse(v, base.StatusForbidden, err)
	}
	feed.reports.heed(v.agent)
	if h.server.conf.Date == DateSender {
		feed.dater, _ = pub.(ingest.Dater)
	}
	for i, m := range ctx.Description.Medias {
		feed.tap(i, m)
	}
	p := &publish{feed: feed, pub: pub, refused: refused, visit: v, server: h.server, session: ctx.Session, over: make(chan struct{})}
	ctx.Session.SetUserData(p)
	v.published, v.why = true, nil
	return &base.Response{StatusCode: base.StatusOK}, nil
}

// refuse turns a host down and hangs up.
func (h *handler) refuse(v *visit, status base.StatusCode, why error) (*base.Response, error) {
	h.server.lobby.Refused.Add(1)
	v.why = why
	return refusal(status, why), why
}

// refusal is a response with a sentence in the place of the status code's name: encoders show it.
func refusal(status base.StatusCode, why error) *base.Response {
	return &base.Response{StatusCode: status, StatusMessage: reason(why)}
}

// reason makes an error a reason phrase.
func reason(err error) string {
	s := oneLine(err.Error())
	if len(s) > maxReason {
		s = strings.ToValidUTF8(s[:maxReason-len("…")], "") + "…"
	}
	return s
}

// oneLine replaces control characters, which would end a header.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7F {
			return ' '
		}
		return r
	}, s)
}

// OnSetup prepares a stream of a publish; others are watched elsewhere.
func (h *handler) OnSetup(ctx *gortsplib.ServerHandlerOnSetupCtx) (*base.Response, *gortsplib.ServerStream, error) {
	p, ok := ctx.Session.UserData().(*publish)
	if !ok {
		return refusal(base.StatusNotFound, errNoPlay), nil, nil
	}
	if ctx.Transport == gortsplib.TransportUDP {
		if err := h.server.claim(p, clientPorts(ctx.Request, p.visit.conn.Remote.Addr())); err != nil {
			res, err := h.refuse(p.visit, base.StatusUnsupportedTransport, err)
			return res, nil, err
		}
	}
	return &base.Response{StatusCode: base.StatusOK}, nil, nil
}

// OnRecord begins to feed the show.
func (h *handler) OnRecord(ctx *gortsplib.ServerHandlerOnRecordCtx) (*base.Response, error) {
	p := ctx.Session.UserData().(*publish)
	p.start(*ctx.Session.SetuppedTransport() == gortsplib.TransportUDP)
	return &base.Response{StatusCode: base.StatusOK}, nil
}

// OnSessionClose leaves the show.
func (h *handler) OnSessionClose(ctx *gortsplib.ServerHandlerOnSessionCloseCtx) {
	if p, ok := ctx.Session.UserData().(*publish); ok {
		p.end(ctx.Error)
	}
}

// OnPacketsLost does nothing: our own sequencers count.
func (h *handler) OnPacketsLost(*gortsplib.ServerHandlerOnPacketsLostCtx) {}

// OnDecodeError does nothing.
func (h *handler) OnDecodeError(*gortsplib.ServerHandlerOnDecodeErrorCtx) {}

// OnStreamWriteError does nothing: there are no streams to write.
func (h *handler) OnStreamWriteError(*gortsplib.ServerHandlerOnStreamWriteErrorCtx) {}
