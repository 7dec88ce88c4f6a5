"""What is shown: GraphQL for systems, a console for people, and a door for deliveries."""
