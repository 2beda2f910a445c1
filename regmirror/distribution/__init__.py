"""The Distribution API as a client sees it: image names, challenges, tokens, manifests, blobs. Over the Http port."""
