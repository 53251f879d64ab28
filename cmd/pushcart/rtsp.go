package main

import (
	"pushcart/auth"
	"pushcart/ingest"
	"pushcart/ingest/rtsp"
	"pushcart/stream"
)

// addRTSP builds the RTSP door, and what fetches shows from cameras.
func (s *server) addRTSP(desk *ingest.Desk, checker *auth.Checker) {
	keys := s.conf.Auth.Keys
	s.rtsp = &rtsp.Server{
		Config: s.conf.RTSP,
		Opener: desk,
		Keys: func(user string) []string {
			var known []string
			for _, k := range keys {
				if k.Name == user {
					known = append(known, string(k.Key))
				}
			}
			if key, err := checker.Sign(user); err == nil {
				known = append(known, key)
			}
			return known
		},
		Log: s.log,
	}
	s.puller = &rtsp.Puller{
		Streams: s.conf.Pull.Streams,
		Fetch:   desk.Fetch,
		Taken: func(name string) bool {
			st, ok := s.hub.Stream(name)
			return ok && st.Status().State == stream.Live
		},
		Viewers: func(name string) int { return s.counter.Viewers(name) },
		Failed: func(name, why string) {
			if d := s.shows.onDemand[name]; d != nil {
				d.failed(why)
			}
		},
		Log: s.log,
	}
	var names []string
	for _, st := range s.conf.Pull.Streams {
		if st.OnDemand {
			names = append(names, st.Name)
		}
	}
	s.shows.demand(names, func(name string) { s.puller.Want(name) })
}

// listenUDP opens the sockets for RTP, if the configuration wants them beside the RTSP listener.
func (s *server) listenUDP() error {
	addr := s.conf.RTSP.UDP
	if s.conf.RTSP.Listen == off || addr == off {
		return nil
	}
	udp, err := rtsp.ListenUDP(addr)
	if err != nil {
		return explainListen("rtsp.udp", addr, err)
	}
	s.udp = udp
	return nil
}
