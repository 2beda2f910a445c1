package main

import (
	"encoding/json"
	"net/http"
)

// newControl returns the control interface that the package comment describes.
func newControl(state *state, publicServer *publicServer) http.Handler {
	routes := http.NewServeMux()
	routes.HandleFunc("GET /state", func(writer http.ResponseWriter, _ *http.Request) {
		writeJSON(writer, http.StatusOK, state.report())
	})
	routes.HandleFunc("PUT /faults", func(writer http.ResponseWriter, request *http.Request) {
		answerChange(writer, state, setFaults(request, state, publicServer))
	})
	routes.HandleFunc("PUT /limits", func(writer http.ResponseWriter, request *http.Request) {
		answerChange(writer, state, setLimits(request, state))
	})
	routes.HandleFunc("POST /reset", func(writer http.ResponseWriter, _ *http.Request) {
		state.reset()
		answerChange(writer, state, nil)
	})
	return routes
}

func setFaults(request *http.Request, state *state, publicServer *publicServer) error {
	var wanted faults
	if err := readJSON(request, &wanted); err != nil {
		return err
	}
	if err := wanted.validate(); err != nil {
		return err
	}
	state.setFaults(wanted)
	if wanted.Down {
		publicServer.close()
		return nil
	}
	return publicServer.open()
}

func setLimits(request *http.Request, state *state) error {
	wanted := limits{Anonymous: 100, Account: 200}
	if err := readJSON(request, &wanted); err != nil {
		return err
	}
	state.setLimits(wanted)
	return nil
}

func readJSON(request *http.Request, target any) error {
	decoder := json.NewDecoder(request.Body)
	decoder.DisallowUnknownFields()
	return decoder.Decode(target)
}

// answerChange answers with the state after a change, or with the error.
func answerChange(writer http.ResponseWriter, state *state, err error) {
	if err != nil {
		writeJSON(writer, http.StatusBadRequest, map[string]string{"error": err.Error()})
		return
	}
	writeJSON(writer, http.StatusOK, state.report())
}

func writeJSON(writer http.ResponseWriter, status int, value any) {
	writer.Header().Set("Content-Type", "application/json")
	writer.Header().Set("X-Regmirror-Lab", "Docker Hub stand-in")
	writer.WriteHeader(status)
	_ = json.NewEncoder(writer).Encode(value)
}
