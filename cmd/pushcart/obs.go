package main

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"pushcart/auth"
	"pushcart/config"
	"pushcart/obs"
	"pushcart/transcode"
)

// forOBS answers hosts' OBS, and operators who want something to paste into it.
func (s *server) forOBS(checker *auth.Checker) *obs.Server {
	show := func(key string, from netip.Addr) (string, error) {
		g, err := checker.Publish(key, from)
		if err == nil && g.Part != "" {
			err = errors.New("This stream key is for one rendition of the show: for all of them at once, use the key without what follows the slash or the at sign.")
		}
		return g.Name, err
	}
	return obs.NewServer(show, func(name string) []obs.Rung { return obsRungs(s.conf.Ladder, name) },
		func(host string) []obs.Endpoint { return obsEndpoints(s.conf, s.certs != nil, host) })
}

// onlyOBS answers obs.Path and nothing else.
func onlyOBS(server *obs.Server) http.Handler {
	mux := http.NewServeMux()
	mux.Handle(obs.Path, server)
	return mux
}

// pasteOBS answers /v1/streams/live/{name}/obs.
func pasteOBS(server *obs.Server) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		q.Set("name", r.PathValue("name"))
		r.URL.RawQuery = q.Encode()
		server.ServeHTTP(w, r)
	}
}

// obsRungs is a show's ladder in the room's words.
func obsRungs(ladder transcode.Config, name string) (rungs []obs.Rung) {
	for _, r := range ladder.Rungs(name) {
		rungs = append(rungs, obs.Rung{ShortSide: r.ShortSide, BitRate: int(r.BitRate), FrameRate: r.FrameRate, Codec: r.Codec})
	}
	return rungs
}

// obsEndpoints is where to publish, for somebody who knows the server as host. OBS takes the first that fits.
func obsEndpoints(conf config.Config, tls bool, host string) (list []obs.Endpoint) {
	if _, port, err := net.SplitHostPort(conf.RTMP.ListenTLS); err == nil && tls {
		list = append(list, obs.Endpoint{Protocol: "RTMPS", URLTemplate: "rtmps://" + net.JoinHostPort(host, port) + "/live/{stream_key}"})
	}
	if _, port, err := net.SplitHostPort(conf.RTMP.Listen); err == nil {
		list = append(list, obs.Endpoint{Protocol: "RTMP", URLTemplate: "rtmp://" + net.JoinHostPort(host, port) + "/live/{stream_key}"})
	}
	return list
}

// printOBS prints what to paste into OBS for a show, and for people how.
func (c *keyCmd) printOBS(p *program, conf config.Config, checker *auth.Checker) error {
	name, err := auth.ParseGrant(c.Name)
	if err != nil {
		return err
	}
	canvas, err := obs.ParseCanvas(c.Size, c.FPS)
	if err != nil {
		return err
	}
	paste, err := obs.Override(obsRungs(conf.Ladder, name.Name), canvas, c.Encoder, obsEndpoints(conf, conf.TLS.Enabled(), "HOST"))
	if err != nil {
		return err
	}
	key, err := checker.Sign(name.Name)
	if err != nil {
		key = "the show's"
	}
	_, port, _ := net.SplitHostPort(conf.RTMP.Listen)
	fmt.Fprint(p.stdout, paste)
	fmt.Fprintf(p.stderr, `OBS 32.1 or later: Settings, Stream, Service "Custom"
  Server      rtmp://HOST:%s/live
  Stream Key  %s
  Multitrack Video: enable it, enable Config Override, and paste the lines above.
OBS 30.2 to 32.0 has the field only when it is started with --enable-multitrack-video-dev.
The size and frame rate have to be those of Settings, Video: --size, --fps; for a GPU: --encoder %s.
`, port, key, strings.Join(obs.Makes(), "|"))
	return nil
}
