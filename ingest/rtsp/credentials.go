package rtsp

import (
	"strings"

	"github.com/bluenviron/gortsplib/v4"
	"github.com/bluenviron/gortsplib/v4/pkg/headers"
	"github.com/bluenviron/gortsplib/v4/pkg/liberrors"

	"pushcart/ingest"
)

// challenge is the error of a host who may still come in by a user name and a password. It is a
// liberrors.ErrServerAuth.
type challenge struct{ because error }

func (c *challenge) Error() string { return c.because.Error() }
func (c *challenge) Unwrap() error { return liberrors.ErrServerAuth{} }

// open asks for the show that the host wants to publish: by the stream key at the end of the address, or else
// by the password, which is the stream key, too, for encoders that have a field for nothing else. The user
// name may be anything where the password is sent as it is (Basic). Where only a digest is, it has to be the
// show's name, as the server has to know what it is a digest of.
func (h *handler) open(ctx *gortsplib.ServerHandlerOnAnnounceCtx, v *visit) (ingest.Publisher, error) {
	app, key, err := splitPath(ctx.Path)
	if err != nil {
		return nil, err
	}
	r := ingest.Request{Protocol: h.protocol, Remote: v.conn.Remote, App: app, Key: key, Query: ctx.Query, Agent: v.agent}
	var refused error
	if key != "" {
		pub, err := h.server.Opener.Open(r)
		if err == nil {
			return pub, nil
		}
		refused = err
	}
	if refused == nil {
		refused = &ingest.Refusal{Reason: "The stream key is missing: put it at the end of the address, rtsp://HOST:8554/live/KEY, or into the password."}
	}
	var auth headers.Authorization
	if err := auth.Unmarshal(ctx.Request.Header["Authorization"]); err != nil {
		ctx.Conn.VerifyCredentials(ctx.Request, "-", "-") // makes the nonce for the challenge
		return nil, &challenge{refused}
	}
	for _, key := range h.passwords(ctx, auth) {
		r.Key = key
		pub, err := h.server.Opener.Open(r)
		if err == nil {
			return pub, nil
		}
		refused = err
	}
	return nil, refused
}

// passwords returns the stream keys that the host has shown to know.
func (h *handler) passwords(ctx *gortsplib.ServerHandlerOnAnnounceCtx, auth headers.Authorization) []string {
	const maxKeys = 64
	switch {
	case auth.Method == headers.AuthMethodBasic && auth.BasicPass != "" && len(auth.BasicPass) <= maxNameLength:
		return []string{auth.BasicPass}
	case auth.Method == headers.AuthMethodDigest && h.server.Keys != nil && len(auth.Username) <= maxNameLength:
		keys := h.server.Keys(auth.Username)
		for _, key := range keys[:min(len(keys), maxKeys)] {
			if ctx.Conn.VerifyCredentials(ctx.Request, auth.Username, key) {
				return []string{key}
			}
		}
	}
	return nil
}

// splitPath takes an address's path apart: /live/KEY. What comes behind a question mark is no part of it. The
// key may have slashes in it, and may be missing.
func splitPath(path string) (app, key string, err error) {
	app, key, _ = strings.Cut(strings.Trim(path, "/"), "/")
	switch {
	case app != "live":
		return "", "", &ingest.Refusal{Reason: `The address must have "/live/" in it, as in rtsp://HOST:8554/live/KEY.`}
	case len(key) > maxNameLength:
		return "", "", &ingest.Refusal{Reason: "The stream key is too long: copy it again from where you were given it."}
	}
	return app, key, nil
}
